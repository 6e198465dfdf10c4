"""`colorize batch`: colorize a folder of photographs, resumable."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.cli import _shared

if TYPE_CHECKING:
    from colorize.batch.run import BatchReport


@click.command("batch", short_help="Colorize a folder of photographs, resumable.")
@_shared.path_argument("source")
@_shared.path_argument("target", metavar="DEST")
@_shared.model_option
@_shared.picture_vividness_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("keep", "png", "jpg", "tif", "webp")),
    default="keep",
    help="Format of the outputs; keep writes PNG where a format cannot be written.",
)
@_shared.flag_option("--album", help="Photographs of one folder share a palette, so that a series looks like one.")
@_shared.count_option("--workers", help="Worker processes. Default: one per processor core.")
@click.option(
    "--memory",
    type=_shared.Size(),
    metavar="SIZE",
    help="What all workers may take together (on a cluster: each). Default: 3/4 of what is free.",
)
@click.option(
    "--time-limit",
    type=_shared.FloatRange(min=0, min_open=True),
    default=300.0,
    metavar="SECONDS",
    help="A photograph that takes longer has failed.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Work on the Dask cluster at ADDRESS, such as tcp://host:8786.")
@_shared.count_option(
    "--local-cluster", help="Start a Dask cluster of N workers on this machine (extra `distributed`)."
)
@_shared.flag_option("--retry-failed", help="Try photographs again that failed in an earlier run.")
@_shared.file_options
@click.pass_context
def command(
    context: click.Context,
    source: Path,
    target: Path,
    model: str,
    vividness: float,
    file_format: str,
    album: bool,
    workers: int | None,
    memory: int | None,
    time_limit: float,
    scheduler: str | None,
    local_cluster: int | None,
    retry_failed: bool,
    files: _shared.Files,
) -> None:
    """Colorize the photographs of SOURCE and its sub-folders into DEST, keeping the layout.

    DEST/colorize-manifest.jsonl has one line per finished photograph. Run the same command again after an interruption
    of any kind and it goes on. Ctrl-C finishes the photographs in hand; a second one stops at once. A photograph that
    fails costs a line, not the batch; the exit status is then 3.
    """
    if scheduler is not None and local_cluster is not None:
        raise click.UsageError("say --scheduler or --local-cluster, not both")
    if files.all_frames and file_format != "tif":
        raise click.UsageError("--all-frames needs a format that holds several pages: say --format tif")
    _shared.check_target_folder(target)
    from colorize.batch.jobs import Settings
    from colorize.batch.run import local_pool, run_batch

    said = {name: value for name, value in asdict(files).items() if name != "quiet"}
    settings = Settings(model=model, vividness=vividness, **said)
    with ExitStack() as stack:
        if scheduler is None and local_cluster is None:
            open_pool = local_pool(n_workers=workers, memory=memory, time_limit=time_limit)
        else:
            from colorize.batch.cluster import cluster_pool, connect

            client = stack.enter_context(connect(scheduler, local_cluster))
            open_pool = cluster_pool(client, source, target, memory=memory, time_limit=time_limit)
        report = run_batch(
            source,
            target,
            settings,
            open_pool=open_pool,
            file_format=file_format,
            album=album,
            retry_failed=retry_failed,
            progress=stack.enter_context(_shared.progress_bars(quiet=files.quiet, lines=True)),
        )
    tell(report, quiet=files.quiet)
    if report.is_interrupted:
        context.exit(_shared.INTERRUPTED)
    if report.failed:
        context.exit(_shared.SOME_FAILED)


def tell(report: BatchReport, *, quiet: bool) -> None:
    """Print what became of the photographs."""
    for name, message in report.failed.items():
        click.echo(f"Error: {_shared.shown(name)}: {message}", err=True)
    if quiet:
        return
    for name, message in report.notes.items():
        click.echo(f"Note: {_shared.shown(name)}: {message}", err=True)
    # What earlier runs did took no time of this one.
    n_new = report.n_done + len(report.failed) - report.n_earlier
    rate = f", {_shared.pace(n_new / report.seconds)}" if n_new and report.seconds else ""
    earlier = f"; earlier runs saw to {report.n_earlier} of all" if report.n_earlier else ""
    click.echo(
        f"{report.n_done} of {report.n_photos} photographs done, {len(report.failed)} failed{earlier}; "
        f"{report.seconds:.1f} s{rate}"
    )
    files = "other file" if report.n_others == 1 else "other files"
    links = "link to a folder" if report.n_linked_folders == 1 else "links to folders"
    results = "picture that colorize made" if report.n_results == 1 else "pictures that colorize made"
    counts = (report.n_others, files), (report.n_linked_folders, links), (report.n_results, results)
    others = [f"{n} {what}" for n, what in counts if n]
    if report.coloured:
        others.append(f"what batches wrote into {', '.join(map(_shared.shown, report.coloured))}")
    if others:
        click.echo(f"left alone: {', '.join(others)}")
    if report.is_interrupted:
        click.echo("Interrupted; run the same command again to go on.", err=True)

"""One thread, whoever else asks for it."""

from threadpoolctl import threadpool_info, threadpool_limits

from colorize._support.threads import one_thread


def n_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_the_limit_holds_until_the_last_who_asked_is_done():
    first, second, third = one_thread(), one_thread(), one_thread()
    with threadpool_limits(2, user_api="blas"):
        for who in (first, second):
            who.__enter__()
        first.__exit__(None, None, None)
        assert n_threads() == {1}  # the second still works
        third.__enter__()
        second.__exit__(None, None, None)
        assert n_threads() == {1}
        third.__exit__(None, None, None)
        assert n_threads() == {2}

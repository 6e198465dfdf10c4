"""Errors and warnings of the project: each also inherits the builtin that a caller would expect."""


class ColorizeError(Exception):
    """Root of every error that `colorize` raises on purpose; its message is one line for a person."""


class InvalidImageError(ColorizeError, ValueError):
    """A file or array that is not a photograph this project can work on."""


class DamagedImageError(InvalidImageError):
    """A photograph whose header is sound and whose picture data is not; `salvage` may read part of it."""


class ImageTooLargeError(InvalidImageError):
    """A photograph whose header announces more pixels than the limit allows."""


class FilmError(ColorizeError, ValueError):
    """A file that is not a film this project can work on, or cannot go into the container that was asked for."""


class DatasetError(ColorizeError, ValueError):
    """A set of training or test photographs that cannot serve its purpose."""


class ModelFileError(ColorizeError, ValueError):
    """A model file that is damaged, of another format version, or no model at all."""


class HintsError(ColorizeError, ValueError):
    """Hints that cannot be read or do not belong to the photograph.

    Attributes
    ----------
    moment : int or float, optional
        Of a film: the frame or the second that was named, if there is none or it has hints already.
    """

    def __init__(self, message: str, moment: int | float | None = None) -> None:
        super().__init__(message)
        self.moment = moment


class OutputError(ColorizeError, OSError):
    """A result that could not be written: the folder is missing, the disk is full or says no."""


class OutputExistsError(ColorizeError, FileExistsError):
    """An output path that is already taken, and nobody said to replace it."""


class OutputFormatError(ColorizeError, ValueError):
    """An output file type that cannot be written, or cannot hold the picture."""


class ManifestError(ColorizeError, ValueError):
    """The manifest of a batch that is damaged, of other settings, or in use."""


class WorkerError(ColorizeError, RuntimeError):
    """Worker processes that do not start, or a cluster that is gone."""


class RecipeError(ColorizeError, ValueError):
    """A note about simulated colours that is missing, damaged, or asks for what is not there."""


class PlaceError(ColorizeError, IndexError):
    """A place that lies outside the photograph."""


class RequestError(ColorizeError, ValueError):
    """Something that a visitor asked of the app and that cannot be done; the message is for the visitor."""


class TrainingError(ColorizeError, ArithmeticError):
    """A network's training that came to nothing: a loss or a weight is no longer a number."""


class DeviceError(ColorizeError, RuntimeError):
    """A device that was asked for and is not there."""


class MissingDependencyError(ColorizeError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""


class ConvergenceWarning(UserWarning):
    """An iterative solver stopped before it reached its tolerance."""

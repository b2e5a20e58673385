"""Table of engines, the only place where they are named."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from ..moments import Moments, Samples
from ._engine import Engine
from ._problem import GLMNET, SCIKIT_LEARN, Convention, SolverSettings


@dataclass(frozen=True)
class EngineEntry:
    """An engine, imported when it is first used.

    Attributes
    ----------
    path : str
        ``"module:Class"``; a module name that starts with a dot is relative to this package.
    reads : {"moments", "samples"}
        ``"moments"`` if sums over the samples suffice. ``"samples"`` if the engine needs the
        matrices; it then cannot fit from moments alone.
    conventions : tuple of Convention, default=(GLMNET,)
        Conventions that the engine knows.
    has_path : bool, default=False
        Whether the engine is a `PathEngine`, for information criteria.
    """

    path: str
    reads: Literal["moments", "samples"]
    conventions: tuple[Convention, ...] = (GLMNET,)
    has_path: bool = False

    def make(
        self, predictors: Moments, settings: SolverSettings, samples: Samples | None
    ) -> Engine:
        """Return an engine for one set of predictors.

        Parameters
        ----------
        predictors : Moments
            Without targets.
        settings : SolverSettings
        samples : Samples or None
            None only if the engine reads moments.

        Raises
        ------
        ValueError
            If the engine does not know the convention of the settings.
        """
        if settings.convention not in self.conventions:
            raise ValueError(
                f"The engine {self.path} does not know the convention of "
                f"{settings.convention.name}."
            )
        module, _, name = self.path.partition(":")
        engine: Engine = getattr(import_module(module, __package__), name)(
            predictors, settings, samples
        )
        return engine


# One line adds an engine; CONTRIBUTING.md has an example.
ENGINES = {
    "gram": EngineEntry("._gram:GramEngine", "moments", (GLMNET, SCIKIT_LEARN), has_path=True),
    "glmnet": EngineEntry("._glmnet:GlmnetEngine", "samples"),
}


def engines_that_read(what: str) -> str:
    """Return the quoted names of the engines that read this, for an error message."""
    return ", ".join(f'"{name}"' for name, entry in ENGINES.items() if entry.reads == what)

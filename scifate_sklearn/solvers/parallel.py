"""All targets, block by block, on as many workers as there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend
from tqdm.auto import tqdm

from .blocks import gather
from .checkpoint import Checkpoint
from .engine import BlockFit, Engine, fit_block
from .problem import LassoProblem, TargetBlock
from .selection import LambdaRule

MAX_BLOCK = 32


def fit_all(
    engine: Engine,
    problem: LassoProblem,
    rule: LambdaRule,
    n_jobs: int | None,
    checkpoint: Checkpoint | None,
    verbose: bool,
) -> BlockFit:
    """Fit all targets; no result depends on where blocks are cut, or on who fits them.

    Parameters
    ----------
    engine : Engine
    problem : LassoProblem
    rule : str, float or callable
    n_jobs : int or None
        Passed to joblib, which takes threads unless another backend is configured.
    checkpoint : Checkpoint or None
        Where finished blocks are found and put, in this process.
    verbose : bool
        Show a progress bar.
    """
    blocks = _cut(problem.n_targets, n_jobs, checkpoint is not None)
    fits = {} if checkpoint is None else _find(checkpoint, blocks)
    todo = [block for block in blocks if block.start not in fits]
    with tqdm(total=problem.n_targets, unit="target", disable=not verbose) as bar:
        bar.update(problem.n_targets - sum(block.stop - block.start for block in todo))
        for block, fit in _fit_blocks(engine, problem, rule, n_jobs, todo):
            if checkpoint is not None:
                checkpoint.write(block, fit)
            fits[block.start] = fit
            bar.update(block.stop - block.start)
    return gather([fits[block.start] for block in blocks])


def _find(checkpoint: Checkpoint, blocks: list[slice]) -> dict[int, BlockFit]:
    """Return the blocks that are there already, by their first target."""
    found = {block.start: checkpoint.read(block) for block in blocks}
    return {start: fit for start, fit in found.items() if fit is not None}


def _cut(n_targets: int, n_jobs: int | None, is_kept: bool) -> list[slice]:
    """Return blocks; those that are kept are the same for any number of workers."""
    size = MAX_BLOCK
    if not is_kept:
        size = max(1, min(size, -(-n_targets // (4 * effective_n_jobs(n_jobs)))))
    return [slice(i, min(i + size, n_targets)) for i in range(0, n_targets, size)]


def _fit_blocks(
    engine: Engine, problem: LassoProblem, rule: LambdaRule, n_jobs: int | None, todo: list[slice]
) -> Iterator[tuple[slice, BlockFit]]:
    """Yield blocks as they are finished."""
    with _sent_once(engine):
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
        tasks = (delayed(_fit_one)(engine, rule, problem.block(block)) for block in todo)
        for positions, fit in parallel(tasks):
            yield slice(positions.start, positions.stop), fit


def _fit_one(engine: Engine, rule: LambdaRule, block: TargetBlock) -> tuple[range, BlockFit]:
    return block.positions, fit_block(engine, rule, block)


@contextmanager
def _sent_once(engine: Engine) -> Iterator[None]:
    """Put the engine on every worker of a Dask cluster before the first block is sent.

    joblib would send it with each block, or to a single worker, and if that one died the others
    could not go on.
    """
    client: Any = getattr(get_active_backend()[0], "client", None)
    if client is None:
        yield
        return
    with parallel_config("dask", client=client, scatter=[engine]):
        yield

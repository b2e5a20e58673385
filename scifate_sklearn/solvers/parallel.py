"""All targets, block by block, on as many workers as there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
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
    fits = {} if checkpoint is None else _find(checkpoint, blocks, problem)
    todo = [block for block in blocks if block.start not in fits]
    with tqdm(total=problem.n_targets, unit="target", disable=not verbose) as bar:
        bar.update(problem.n_targets - sum(block.stop - block.start for block in todo))
        for block, fit in _fit_blocks(engine, problem, rule, n_jobs, todo):
            if checkpoint is not None:
                checkpoint.write(block, fit)
            fits[block.start] = fit
            bar.update(block.stop - block.start)
    return gather([fits[block.start] for block in blocks])


def _find(
    checkpoint: Checkpoint, blocks: list[slice], problem: LassoProblem
) -> dict[int, BlockFit]:
    """Return the blocks that are there already, by their first target."""
    found = {block.start: checkpoint.read(block, problem.moments.n_features) for block in blocks}
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
    sent = _sent_once(engine)
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    tasks = (delayed(_fit_one)(sent, rule, problem.block(block)) for block in todo)
    for positions, fit in parallel(tasks):
        yield slice(positions.start, positions.stop), fit


def _fit_one(engine: Any, rule: LambdaRule, block: TargetBlock) -> tuple[range, BlockFit]:
    if hasattr(engine, "result"):  # joblib stays here if the cluster has a single thread
        engine = engine.result()
    return block.positions, fit_block(engine, rule, block)


def _sent_once(engine: Engine) -> Any:
    """Return the engine; or where blocks go to a Dask cluster, one that is there already.

    joblib would send it again with each block. It is sent as the result of a task, which Dask
    repeats where that is lost; what is scattered is lost with the workers that had it, and to
    scatter to a worker that dies may take forever.
    """
    client: Any = getattr(get_active_backend()[0], "client", None)
    if client is None:
        return engine
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")
        return client.submit(_keep, engine, pure=False)


def _keep(engine: Engine) -> Engine:
    return engine

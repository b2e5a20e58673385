"""Fits of all targets, block by block, on parallel workers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.parallel import (
    LokyBackend,
    MultiprocessingBackend,
    ThreadingBackend,
    get_active_backend,
)
from numpy.typing import NDArray

from .._progress import load_tqdm
from ._blocks import gather, join
from ._checkpoint import Checkpoint
from ._compiling import announce_compilation
from ._engine import BlockFit, Engine, Selection, Solution, fit_block
from ._problem import Floats, LassoProblem, TargetBlock

MAX_BLOCK = 32

# More workers than this per core of this machine are not started; they would only wait.
MOST_PER_CORE = 4
_ON_THIS_MACHINE = (LokyBackend, MultiprocessingBackend, ThreadingBackend)

# job(engine, block=block)
Job: TypeAlias = Callable[..., Any]


def fit_all(
    engine: Engine,
    problem: LassoProblem,
    selection: Selection,
    n_jobs: int | None,
    checkpoint: Checkpoint | None,
    verbose: bool,
) -> BlockFit:
    """Fit all targets; results depend neither on the sizes of the blocks nor on the workers.

    Parameters
    ----------
    engine : Engine
    problem : LassoProblem
    selection : Selection
    n_jobs : int or None
        Passed to joblib, which takes threads unless another backend is configured.
    checkpoint : Checkpoint or None
        Folder of finished blocks, read and written by this process only; entered.
    verbose : bool
        Show a progress bar.
    """
    blocks = _cut(problem.n_targets, n_jobs, checkpoint is not None)
    fits = {} if checkpoint is None else _find(checkpoint, blocks, problem)
    todo = [block for block in blocks if block.start not in fits]
    is_shown = verbose and sys.stderr is not None
    tqdm = load_tqdm()
    with (
        tqdm(total=problem.n_targets, unit="target", disable=not is_shown) as bar,
        announce_compilation(partial(tqdm.write, file=sys.stderr) if is_shown else None),
    ):
        bar.update(problem.n_targets - sum(block.stop - block.start for block in todo))
        fit_one = partial(fit_block, selection=selection)
        for block, fit in _in_parallel(fit_one, engine, problem, n_jobs, todo):
            if checkpoint is not None:
                checkpoint.write_block(block, fit)
            fits[block.start] = fit
            bar.update(block.stop - block.start)
    return gather([fits[block.start] for block in blocks])


def solve_all(
    engine: Engine,
    problem: LassoProblem,
    lambdas: Floats,
    stop: NDArray[np.intp],
    n_jobs: int | None,
) -> Solution:
    """Solve all targets at given penalties, without cross-validation.

    Parameters
    ----------
    engine : Engine
    problem : LassoProblem
    lambdas : ndarray of shape (n_targets, n_lambdas) or (1, n_lambdas)
        Decreasing penalties, of each target or of all.
    stop : ndarray of int of shape (n_targets,)
        The position of each target's penalty; −1 means no model.
    n_jobs : int or None
        Passed to joblib.

    Returns
    -------
    Solution
    """
    found: dict[int, Solution] = {}
    blocks = _cut(problem.n_targets, n_jobs, is_kept=False)
    solve_one = partial(_solve_block, lambdas=lambdas, stop=stop)
    for block, solution in _in_parallel(solve_one, engine, problem, n_jobs, blocks):
        found[block.start] = solution
    return join([found[block.start] for block in blocks])


def _solve_block(
    engine: Engine, block: TargetBlock, lambdas: Floats, stop: NDArray[np.intp]
) -> Solution:
    own = stop[block.positions]
    here = lambdas[block.positions] if len(lambdas) > 1 else np.tile(lambdas, (len(block), 1))
    # No target in this block needs the rest of the grid.
    return engine.solve(block, np.ascontiguousarray(here[:, : own.max() + 1]), own)


def _find(
    checkpoint: Checkpoint, blocks: list[slice], problem: LassoProblem
) -> dict[int, BlockFit]:
    """Return the finished blocks, by their first target."""
    n_features = problem.moments.n_features
    found = {block.start: checkpoint.read_block(block, n_features) for block in blocks}
    return {start: fit for start, fit in found.items() if fit is not None}


def _cut(n_targets: int, n_jobs: int | None, is_kept: bool) -> list[slice]:
    """Return blocks; with a checkpoint, their sizes do not depend on the number of workers."""
    size = MAX_BLOCK
    if not is_kept:
        n_workers = effective_n_jobs(_n_workers(n_jobs, n_targets))
        size = max(1, min(size, -(-n_targets // (4 * n_workers))))
    return [slice(i, min(i + size, n_targets)) for i in range(0, n_targets, size)]


def _in_parallel(
    job: Job, engine: Engine, problem: LassoProblem, n_jobs: int | None, todo: list[slice]
) -> Iterator[tuple[slice, Any]]:
    """Yield each block with the result of the job, in the order in which they finish."""
    sent = _sent_once(engine)
    tasks = (delayed(_do)(job, sent, problem.block(block)) for block in todo)
    n_workers = _n_workers(n_jobs, len(todo))
    for positions, result in _results(tasks, n_workers, "generator_unordered"):
        yield slice(positions.start, positions.stop), result


def run_jobs(jobs: Sequence[Callable[[], Any]], n_jobs: int | None) -> Iterator[Any]:
    """Yield the results of independent jobs, in the order of the jobs.

    Parameters
    ----------
    jobs : sequence of callable
        Without arguments.
    n_jobs : int or None
        Passed to joblib, which takes threads unless another backend is configured.

    Yields
    ------
    object
    """
    tasks = (delayed(job)() for job in jobs)
    yield from _results(tasks, _n_workers(n_jobs, len(jobs)), "generator")


def _results(tasks: Iterable[Any], n_workers: int | None, return_as: str) -> Iterable[Any]:
    """Return the results of tasks, as they finish or in their order."""
    backend = get_active_backend(prefer="threads")[0]
    # The multiprocessing backend, and Ray's, which derives from it, return all results at the end.
    returns_early = getattr(backend, "supports_return_generator", False)
    return_as = return_as if returns_early else "list"
    parallel = Parallel(n_jobs=n_workers, prefer="threads", return_as=return_as)
    with _naming_n_jobs(n_workers):
        results: Iterable[Any] = parallel(tasks)
    return results


def _n_workers(n_jobs: int | None, n_blocks: int) -> int | None:
    """Return the number of workers to ask for, at most one per block and a few per core."""
    if n_jobs is None or n_jobs < 0:
        return n_jobs
    most = max(1, n_blocks)
    if isinstance(get_active_backend(prefer="threads")[0], _ON_THIS_MACHINE):
        most = min(most, MOST_PER_CORE * cpu_count())
    return min(n_jobs, most)


@contextmanager
def _naming_n_jobs(n_workers: int | None) -> Iterator[None]:
    """Name `n_jobs` in the error of workers that the system refuses to start."""
    try:
        yield
    except (RuntimeError, AttributeError, OSError) as error:
        # The pool of threads fails a second time when it cleans up, in `DummyProcess.terminate`.
        if isinstance(error, OSError) or "start new thread" in str(error) or "Dummy" in str(error):
            raise OSError(
                f"The system refuses to start the workers for `n_jobs`={n_workers} "
                f"({error.__context__ or error}). Lower `n_jobs`, or raise the limit of processes."
            ) from error
        raise


def _do(job: Job, engine: Any, block: TargetBlock) -> tuple[range, Any]:
    if hasattr(engine, "result"):  # joblib runs in this process if the cluster has a single thread
        engine = engine.result()
    return block.positions, job(engine, block=block)


def _sent_once(engine: Engine) -> Any:
    """Return the engine, or a future of it if blocks are fitted on a Dask cluster.

    joblib would send the engine again with each block. Here it is the result of a task, which Dask
    repeats if the result is lost. Scattered data are lost with their workers, and scattering to a
    worker that dies may never return.
    """
    client: Any = getattr(get_active_backend()[0], "client", None)
    if client is None:
        return engine
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")
        return client.submit(_keep, engine, pure=False)


def _keep(engine: Engine) -> Engine:
    return engine

"""Command line of the library: ``python -m tilesearch COMMAND``.

To add a command, write a function that adds its parser, sets ``run=`` to what it does (it gets
the parsed arguments and returns nothing), and put the function into `COMMANDS`. What it raises
as ValueError is shown as one sentence, with exit code 2.
"""

import argparse
import contextlib
import csv
import os
import sys
import time
from collections.abc import Sequence

from tilesearch.errors import InputError
from tilesearch.space import SCALES, TYPES, Parameter, Space

PARAM_HELP = (
    "NAME:LOW:HIGH, then any of :log and :int, for example learning_rate:1e-4:1e-1:log or "
    "max_depth:8:22:int; give it once per parameter"
)


def parse_param(text: str) -> Parameter:
    """The parameter that ``name:low:high[:log][:int]`` describes.

    Raises
    ------
    InputError
        If the text has another form, or the parameter cannot be (see `Parameter`).

    Examples
    --------
    >>> parse_param("max_depth:8:22:int")
    Parameter(name='max_depth', low=8, high=22, type='int', scale='linear')
    """
    name, *rest = text.split(":")
    if not name or len(rest) < 2:
        raise InputError(f"--param is '{text}', it must be NAME:LOW:HIGH[:log][:int]")
    words = {"type": "float", "scale": "linear"}
    for word in rest[2:]:
        key = "type" if word in TYPES else "scale" if word in SCALES else None
        if key is None:
            raise InputError(
                f"--param {name}: '{word}' is unknown, take one of {', '.join(TYPES + SCALES)}"
            )
        words[key] = word
    low, high = (_number(name, end) for end in rest[:2])
    return Parameter(name, low, high, **words)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"--param {name}: '{text}' is not a number, give NAME:LOW:HIGH") from None
    return int(value) if value.is_integer() else value


def add_sample(commands) -> None:
    """Add ``sample``: print a design as CSV."""
    parser = commands.add_parser(
        "sample",
        help="print a design as CSV",
        description="Print the points of a design as CSV: a header, then one row per point.",
    )
    parser.add_argument("--sampler", required=True, help="name of the sampler, for example rsa")
    parser.add_argument("--n", required=True, type=int, help="number of points")
    parser.add_argument(
        "--param", required=True, action="append", metavar="NAME:LOW:HIGH", help=PARAM_HELP
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the design, at least 0 (default: 0)"
    )
    parser.set_defaults(run=run_sample)


def run_sample(args: argparse.Namespace) -> None:
    """Print the design that `args` ask for."""
    # Imported here: a command pays only for what it uses.
    from tilesearch.samplers import make

    if args.seed < 0:
        raise InputError(f"--seed is {args.seed}, it must be at least 0")
    space = Space("sample", tuple(parse_param(text) for text in args.param))
    points = make(args.sampler, space.d, rng=args.seed).random(args.n)
    columns = [values.tolist() for values in space.values(points).values()]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(space.names)
    writer.writerows(zip(*columns, strict=True))


def add_count(commands) -> None:
    """Add ``count``: how much a study asks for."""
    parser = commands.add_parser(
        "count",
        help="count the trainings, jobs and hours of a study",
        description="Count what a study asks for, by problem, space and resolution: trainings, "
        "models really trained after sharing, training jobs, and hours on one core at the "
        "measured seconds per training. Run it where config.yaml lies.",
    )
    parser.add_argument("--configfile", nargs="+", default=[], help="studies laid over config.yaml")
    parser.add_argument("--problems", nargs="+", help="only these problems")
    parser.add_argument("--without", nargs="+", default=[], help="leave out these spaces")
    parser.set_defaults(run=run_count)


def run_count(args: argparse.Namespace) -> None:
    """Print the counts of a study."""
    from tilesearch import config, counts

    read = config.check(config.load(["config.yaml", *args.configfile]))
    unknown = [name for name in args.problems or [] if name not in read.problems]
    if unknown:
        raise InputError(
            f"--problems names '{unknown[0]}', the study runs {', '.join(read.problems)}"
        )
    rows = counts.count(read, config.measured_seconds())
    chosen = [
        row
        for row in rows
        if row.problem in (args.problems or read.problems) and row.space not in args.without
    ]
    print(counts.as_text(chosen))


def add_status(commands) -> None:
    """Add ``status``: how far a study is."""
    parser = commands.add_parser(
        "status",
        help="tell how far a study is",
        description="Tell how many trainings of a study are done, how fast the running jobs are "
        "and how long the rest takes, from journals and outputs. Run it where config.yaml lies, "
        "beside the running study or afterwards, with the same --configfile.",
    )
    parser.add_argument("--configfile", nargs="+", default=[], help="studies laid over config.yaml")
    parser.add_argument(
        "--watch", action="store_true", help="tell again and again, until all is done"
    )
    parser.add_argument("--every", type=float, default=5.0, help="seconds between (default: 5)")
    parser.set_defaults(run=run_status)


def run_status(args: argparse.Namespace) -> None:
    """Print where a study stands, once or until it is done."""
    from tilesearch import config, status, study

    if not 0.1 <= args.every <= 86400:
        raise InputError(f"--every is {args.every}, give seconds between 0.1 and 86400")
    settings = config.load(["config.yaml", *args.configfile])
    read = study.read(settings)
    lines = 0
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            now = status.measure(read, settings["results"])
            if sys.stdout.isatty() and lines:
                print(f"\x1b[{lines}F\x1b[J", end="")  # up, and clear what stood there
            text = status.as_text(now)
            lines = text.count("\n") + 1
            print(text, flush=True)
            if not args.watch or now.done >= now.total:
                return
            time.sleep(args.every)


def add_advise(commands) -> None:
    """Add ``advise``: which sampler to take."""
    parser = commands.add_parser(
        "advise",
        help="say which sampler to take for N points in d dimensions",
        description="Say which sampler to take for N points in d dimensions, with its uncertainty, "
        "from the tables of a study; says so where they do not decide. Without --scores the "
        "tables of results/tables answer, else those of resources/reference.",
    )
    parser.add_argument("--n", required=True, type=int, help="number of points")
    parser.add_argument("--d", required=True, type=int, help="number of hyperparameters")
    parser.add_argument(
        "--scores",
        metavar="FILE",
        help="scores of a study (or its folder of tables), CSV or Parquet",
    )
    parser.set_defaults(run=run_advise)


def run_advise(args: argparse.Namespace) -> None:
    """Print the advice."""
    from tilesearch.analysis.advice import advise
    from tilesearch.analysis.tables import find, load

    paths = find(args.scores)
    tables, missing = load(paths)
    advices, remarks = advise(args.n, args.d, **tables)
    print(f"From {', '.join(map(str, paths))}:")
    for text in [*missing, *remarks, *(advice.text for advice in advices)]:
        print(f"- {text}")


#: functions that add a command each, in the order of the help
COMMANDS = (add_sample, add_count, add_status, add_advise)


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="tilesearch", description="Where should the N points of a parallel search lie?"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None takes them from the command line.

    Returns
    -------
    int
        Exit code: 0, or 2 after an error of the user's, which stands on stderr as one sentence.
    """
    args = build_parser().parse_args(argv)
    try:
        args.run(args)
        sys.stdout.flush()
    except ValueError as error:
        print(f"tilesearch {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`head`) has left. What is still buffered must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

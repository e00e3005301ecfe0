#!/usr/bin/env python3
"""Prints the results of bench.py as Markdown and checks the limits. Exits with 1 if a limit is missed.

Figures are medians over the repeats, and ratios are ratios of those medians. A limit that could not be
checked, because a target was not measured, counts as missed, unless --partial is given.
"""
import argparse
import json
import re
import statistics
import sys

OURS, OURS_SMALL, PEER = "mirrorguard-1000", "mirrorguard-10", "peer-1000"
MIN_CPU_RATIOS = {"idms-20": 4, "hostedcluster": 20, "idms-2000": 5}
MAX_GROWTH = 1.3
MAX_RESIDENT_MIB = 25
MAX_START_MS = 60
FIGURES = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->)", re.DOTALL)


class Results:
    def __init__(self, path):
        with open(path) as file:
            rows = [json.loads(line) for line in file]
        self.machine = next(row for row in rows if row["row"] == "machine")
        self.starts, self.idle, self.runs = ([row for row in rows if row["row"] == kind] for kind in ("start", "idle", "run"))
        self.targets = list(dict.fromkeys(row["target"] for row in self.starts))
        self.settings = list(dict.fromkeys((row["case"], row["proto"], row["conc"]) for row in self.runs))

    def median(self, target, setting, key):
        """The median of a figure over the repeats; None if the target was not measured."""
        values = [row[key] for row in self.runs
                  if row["target"] == target and (row["case"], row["proto"], row["conc"]) == setting]
        return statistics.median(values) if values else None

    def cpu_ratio(self, target, other, setting):
        """The CPU per request of a target, divided by that of another one."""
        cpu, other_cpu = (self.median(name, setting, "server_cpu_us_per_req") for name in (target, other))
        return cpu / other_cpu if cpu is not None and other_cpu else None

    def cpu_ratios(self, target, other, case):
        """The ratio for each concurrency, over HTTP/1.1."""
        ratios = {setting[2]: self.cpu_ratio(target, other, setting)
                  for setting in self.settings if setting[:2] == (case, "h1")}
        return {concurrency: ratio for concurrency, ratio in ratios.items() if ratio is not None}

    def start_ms(self, target):
        return [row["ms"] for row in self.starts if row["target"] == target]

    def peak_resident_mib(self, target):
        return max((row["rss_peak_kib"] / 1024 for row in self.runs if row["target"] == target), default=None)


class Limit:
    """The allowed value, the measured value, and whether the limit is met (None: not measured)."""

    def __init__(self, what, allowed, measured, is_met):
        self.what, self.allowed, self.measured, self.is_met = what, allowed, measured, is_met

    def row(self):
        result = {True: "met", False: "**missed**", None: "not measured"}[self.is_met]
        return [self.what, self.allowed, self.measured, result]


def check_limits(results):
    checked = [check_cpu_ratio(results, case, minimum) for case, minimum in MIN_CPU_RATIOS.items()]
    checked += [check_growth(results, case) for case in MIN_CPU_RATIOS]
    return checked + [check_resident(results), check_start(results), check_errors(results)]


def under_load(ratios):
    """The ratios that a limit applies to: one request at a time mostly measures the wake-ups of the server."""
    return [ratio for concurrency, ratio in ratios.items() if concurrency > 1] or list(ratios.values())


def by_concurrency(ratios, worst):
    details = ", ".join("%.2f at %d" % (ratio, concurrency) for concurrency, ratio in sorted(ratios.items()))
    return "%.2f (%s)" % (worst, details)


def check_cpu_ratio(results, case, minimum):
    what, allowed = "CPU per request, %s, peer ÷ mirrorguard, 1000 sets" % case, "at least %d" % minimum
    ratios = results.cpu_ratios(PEER, OURS, case)
    if not ratios:
        return Limit(what, allowed, "", None)
    worst = min(under_load(ratios))
    return Limit(what, allowed, by_concurrency(ratios, worst), worst >= minimum)


def check_growth(results, case):
    what, allowed = "CPU per request, %s, mirrorguard with 1000 ÷ 10 sets" % case, "at most %.1f" % MAX_GROWTH
    ratios = results.cpu_ratios(OURS, OURS_SMALL, case)
    if not ratios:
        return Limit(what, allowed, "", None)
    worst = max(under_load(ratios))
    return Limit(what, allowed, by_concurrency(ratios, worst), worst <= MAX_GROWTH)


def check_resident(results):
    what, allowed = "Peak resident memory under load, 1000 sets", "at most %d MiB" % MAX_RESIDENT_MIB
    mib = results.peak_resident_mib(OURS)
    return Limit(what, allowed, "", None) if mib is None else Limit(what, allowed, "%.1f MiB" % mib, mib <= MAX_RESIDENT_MIB)


def check_start(results):
    what, allowed = "Time to the first correct answer, 1000 sets", "at most %d ms" % MAX_START_MS
    times = results.start_ms(OURS)
    if not times:
        return Limit(what, allowed, "", None)
    return Limit(what, allowed, spread(times) + " ms", statistics.median(times) <= MAX_START_MS)


def check_errors(results):
    first_errors = {row["target"]: row["first_error"] for row in results.runs if row["errors"]}
    measured = "; ".join("%s: %.200s" % pair for pair in first_errors.items()) or "none"
    return Limit("Failed or wrong answers, all targets", "none", measured, not first_errors if results.runs else None)


def spread(values):
    return "%.0f (%.0f to %.0f)" % (statistics.median(values), min(values), max(values))


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def by_setting(results, cell, extra=()):
    """A table with a row for each case and concurrency, and a column for each target."""
    rows = []
    for setting in results.settings:
        case, proto, concurrency = setting
        name = "%s, %d at a time%s" % (case, concurrency, ", HTTP/2" if proto == "h2" else "")
        cells = [cell(target, setting) for target in results.targets]
        rows.append([name, *cells, *(extra_cell(setting) for _, extra_cell in extra)])
    return table(["", *results.targets, *(title for title, _ in extra)], rows)


def figures(results, form, keys, unit=1, extra=()):
    def cell(target, setting):
        return " / ".join(form % (results.median(target, setting, key) / unit) for key in keys)
    return by_setting(results, cell, extra)


def quotient(value):
    return "–" if value is None else "%.2f" % value


def cpu_table(results):
    extra = [("peer ÷ mirrorguard, 1000 sets", lambda setting: quotient(results.cpu_ratio(PEER, OURS, setting))),
             ("mirrorguard, 1000 ÷ 10 sets", lambda setting: quotient(results.cpu_ratio(OURS, OURS_SMALL, setting)))]
    return figures(results, "%.0f", ["server_cpu_us_per_req"], extra=extra)


def footprint(results):
    rows = []
    for target in results.targets:
        binary = next(row["binary_bytes"] for row in results.starts if row["target"] == target)
        idle = statistics.median(row["resident_kib"] for row in results.idle if row["target"] == target)
        rows.append([target, "%.1f" % (binary / 2**20), spread(results.start_ms(target)), "%.1f" % (idle / 1024),
                     "%.1f" % results.peak_resident_mib(target)])
    return table(["", "binary, MiB", "time to the first correct answer, ms", "resident when idle, MiB", "peak resident under load, MiB"], rows)


def report(results, checked):
    machine = results.machine
    busiest = max(results.runs, key=lambda row: row["client_cpu_frac"])
    return "\n".join([
        "Measured on %s: %s, %d cores, Linux %s; peer: controller-runtime %s." % (
            machine["date"], machine["cpu"], machine["cores"], machine["kernel"], machine["controller_runtime"]),
        "Repeats: %d; length of a run: %g s; starts: %d. The load generator used at most %.0f %% of its core (%s, %s).\n" % (
            machine["repeats"], machine["secs"], machine["starts"], busiest["client_cpu_frac"] * 100,
            busiest["target"], busiest["case"]),
        "### Limits\n", table(["", "allowed", "measured", ""], [limit.row() for limit in checked]),
        "### Server CPU per request, µs\n", cpu_table(results),
        "### Requests per second\n", figures(results, "%.0f", ["rps"]),
        "### Latency, median / 99th percentile, ms\n", figures(results, "%.2f", ["p50_us", "p99_us"], 1000),
        "### Peak resident memory under load, MiB\n", figures(results, "%.1f", ["rss_peak_kib"], 1024),
        "### Footprint\n", footprint(results)])


def write_docs(path, text):
    with open(path) as file:
        page = file.read()
    if not FIGURES.search(page):
        sys.exit("report.py: %s has no region between <!-- figures --> and <!-- /figures -->" % path)
    with open(path, "w") as file:
        file.write(FIGURES.sub(lambda found: found.group(1) + "\n" + text + "\n" + found.group(2), page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--partial", action="store_true", help="do not count limits that were not measured as missed")
    parser.add_argument("--write-docs", metavar="FILE", help="also write the figures between the figures comments of this page")
    args = parser.parse_args()
    results = Results(args.results)
    checked = check_limits(results)
    text = report(results, checked)
    print(text)
    if args.write_docs:
        write_docs(args.write_docs, text)
    missed = [limit for limit in checked if limit.is_met is False or (limit.is_met is None and not args.partial)]
    for limit in missed:
        measured = limit.measured or "nothing"
        print("limit missed: %s: allowed %s, measured %s" % (limit.what, limit.allowed, measured), file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

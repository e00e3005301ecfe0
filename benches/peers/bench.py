#!/usr/bin/env python3
"""Measures the targets of targets.json and writes the results as JSON lines.

First it measures starts: it starts each server alone, several times, and measures the time to the first
correct answer. Then, in each repeat, it starts all servers together and sends load to one after the other,
case by case, so that the runs to compare follow each other within seconds. The servers are pinned to one
core, and the load generator to another. Everything runs on loopback, and is stopped at --deadline.
"""
import argparse
import base64
import datetime
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

HERE = os.path.dirname(os.path.abspath(__file__))
STOP_SIGNALS = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT)
ANNOTATION = "olm-catalogs-is-registry-overrides"
CONFLICT_REVIEW = "review-idms-conflict.json"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="file for the JSON lines; overwritten")
    parser.add_argument("--targets", default=os.path.join(HERE, "targets.json"))
    parser.add_argument("--only", default="", metavar="NAME,...", help="measure only these targets")
    parser.add_argument("--mirrorguard", default=os.path.join(HERE, "../../target/dist/mirrorguard"), metavar="BINARY")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--secs", type=float, default=2.0, help="length of a run, after its warm-up")
    parser.add_argument("--warm", type=float, default=0.4)
    parser.add_argument("--deadline", type=int, default=560, metavar="SECS", help="stop after this time, with exit code 1")
    return parser.parse_args()


def fail(message):
    sys.exit("bench.py: " + message)


def read_targets(args):
    with open(args.targets) as file:
        plan = json.load(file)
    only = set(filter(None, args.only.split(",")))
    unknown = only - {target["name"] for target in plan["targets"]}
    if unknown:
        fail("--only: unknown target: " + ", ".join(sorted(unknown)))
    targets = [target for target in plan["targets"] if not only or target["name"] in only]
    for target in targets:
        binary = target["command"][0].replace("{mirrorguard}", os.path.abspath(args.mirrorguard))
        target["command"][0] = os.path.join(HERE, binary)
        if not os.access(target["command"][0], os.X_OK):
            fail("%s: cannot execute %s; run.sh builds it" % (target["name"], binary))
        target["answers"] = plan["answers"][target["answers"]]
    return targets, plan["cases"]


class Server:
    """The server of a target, pinned to the first core. It is stopped at the end of the with block."""

    def __init__(self, target, cores, log):
        self.target = target
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", target["port"])) == 0:
                fail("port %d of %s is already in use" % (target["port"], target["name"]))
        # A child inherits the affinity, so the server is pinned from its first instruction on.
        os.sched_setaffinity(0, {cores[0]})
        try:
            self.start_ns = time.time_ns()
            self.process = subprocess.Popen(target["command"], cwd=HERE, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        finally:
            os.sched_setaffinity(0, {cores[1]})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_kib(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def loadgen(verb, target, path, body, *options):
    return [os.path.join(HERE, "loadgen/target/release/loadgen"), verb, "--port", str(target["port"]), "--path", path,
            "--body", os.path.join(HERE, "payloads", body), *options]


def wait_command(target, secs):
    """The command that waits for the first correct answer: a denial, which requires that rules and data are loaded."""
    return loadgen("first", target, "/validate", CONFLICT_REVIEW, "--expect", target["conflict"], "--secs", str(secs))


def finish(process, target, timeout):
    """Waits for a load generator and returns its output."""
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        fail("%s: %s; see server-%s.log" % (target["name"], err.strip(), target["name"]))
    return out


def call(command, target, timeout):
    return finish(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), target, timeout)


def time_start(target, cores, log):
    """Milliseconds from just before the server is executed to its first correct answer."""
    waiting = subprocess.Popen(wait_command(target, 30), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.05)  # starts before the server, and sends a request every millisecond
        with Server(target, cores, log) as server:
            return (int(finish(waiting, target, 40)) - server.start_ns) / 1e6
    finally:
        waiting.kill()


def check_answers(target, cases):
    """Fails unless every case gets the correct answer. Runs before anything is measured."""
    for case in cases:
        expected = target["answers"][case["name"]]
        text = call(loadgen("once", target, case["path"], case["body"]), target, 10)
        if expected not in text:
            fail("%s: the answer to %s does not contain %s: %.500s" % (target["name"], case["name"], expected, text))
        patch = json.loads(text)["response"].get("patch")
        if patch and ANNOTATION not in base64.b64decode(patch).decode():
            fail("%s: the patch does not add the annotation: %s" % (target["name"], base64.b64decode(patch).decode()))


def load(server, case, concurrency, args):
    target = server.target
    command = loadgen("run", target, case["path"], case["body"], "--expect", target["answers"][case["name"]],
                      "--proto", case["proto"], "--conc", str(concurrency), "--pid", str(server.process.pid),
                      "--warm", str(args.warm), "--secs", str(args.secs))
    return json.loads(call(command, target, args.warm + args.secs + 20))


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*:\s*(.+)", info.read())
    with open(os.path.join(HERE, "crwebhook/go.mod")) as module:
        runtime = re.search(r"sigs\.k8s\.io/controller-runtime (\S+)", module.read()).group(1)
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "cpu": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "controller_runtime": runtime}


def measure(args, write):
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        fail("two cores are required: one for the server, one for the load generator")
    targets, cases = read_targets(args)
    write(row="machine", **machine(), repeats=args.repeats, secs=args.secs, starts=args.starts)
    folder = os.path.dirname(os.path.abspath(args.out))
    os.sched_setaffinity(0, {cores[1]})
    with ExitStack() as stack:
        logs = {target["name"]: stack.enter_context(open(os.path.join(folder, "server-%s.log" % target["name"]), "w"))
                for target in targets}
        for _ in range(args.starts):
            for target in targets:
                write(row="start", target=target["name"], ms=time_start(target, cores, logs[target["name"]]),
                      binary_bytes=os.path.getsize(target["command"][0]))
        for repeat in range(args.repeats):
            with ExitStack() as running:
                servers = [running.enter_context(Server(target, cores, logs[target["name"]])) for target in targets]
                for server in servers:
                    call(wait_command(server.target, 30), server.target, 40)
                    check_answers(server.target, cases)
                time.sleep(1)
                for server in servers:
                    write(row="idle", target=server.target["name"], resident_kib=server.resident_kib())
                settings = [(case, concurrency) for case in cases for concurrency in case["conc"]]
                for case, concurrency in settings:
                    for server in servers:
                        write(row="run", target=server.target["name"], case=case["name"], repeat=repeat,
                              **load(server, case, concurrency, args))


def main():
    args = options()

    def stop(number, _):
        for ignored in STOP_SIGNALS:  # the servers are being stopped already
            signal.signal(ignored, signal.SIG_IGN)
        fail("the deadline of %d s has passed" % args.deadline if number == signal.SIGALRM else "stopped")

    for handled in STOP_SIGNALS:
        signal.signal(handled, stop)
    signal.alarm(args.deadline)
    with open(args.out, "w") as out:
        def write(**row):
            out.write(json.dumps(row) + "\n")
            out.flush()
            if row["row"] == "run":
                print("repeat %d  %-13s %s c%-2d  %-16s %7.0f requests/s  %6.0f us CPU per request" % (
                    row["repeat"] + 1, row["case"], row["proto"], row["conc"], row["target"], row["rps"],
                    row["server_cpu_us_per_req"]), file=sys.stderr, flush=True)

        measure(args, write)


if __name__ == "__main__":
    main()

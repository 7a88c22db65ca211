"""What a track costs beyond the network's own work, in CPU time: overhead.py [--family F] [--seconds S] [--against DIR]…

Networks of full size with random weights, in warm workers. Each DIR is a checkout to compare with: its worker takes turns
with ours, so that both meet the same machine. Prints one line a worker with the median of the runs, and where both were
measured, what beats and harmony cost together.
"""

import argparse
import os
import shutil
import statistics
import tempfile

import make_checkpoints
import support

SECONDS = {"beats": 210, "stems": 60, "harmony": 210}
SHAPES = {"beats": (1, 22_050), "stems": (2, 44_100), "harmony": (1, 22_050)}
# What every track gets.
TOGETHER = ("beats", "harmony")


def write_model(family, folder):
    if family == "stems":
        make_checkpoints.write_stems(folder, "full", make_checkpoints.STEMS_FULL)
        return os.path.join(folder, "full.safetensors")
    path = os.path.join(folder, "full.ckpt")
    if family == "beats":
        make_checkpoints.write_beats(path, make_checkpoints.BEATS_FULL)
    else:
        make_checkpoints.write_ace(path, make_checkpoints.ACE_FULL)
    return path


def start(family, root, model, threads):
    worker = support.Worker(family, script=os.path.join(root, "python", "worker.py"))
    worker.send(op="load", path=model, device="cpu", threads=threads)
    reply = worker.wait_for("loaded", "error")
    assert reply["event"] == "loaded", reply
    return worker


def measure(family, options, folder):
    """CPU seconds in the network and beyond it, for each checkout."""
    seconds, (channels, rate) = options.seconds or SECONDS[family], SHAPES[family]
    model, sound = write_model(family, folder), support.music(seconds, channels, rate)
    roots = [support.ROOT, *options.against]
    workers = [start(family, root, model, options.threads) for root in roots]
    found = [[] for _ in roots]
    # The first run of each warms caches, and is not counted.
    for turn in range(options.runs + 1):
        for worker, runs in zip(workers, found):
            worker.run(sound, rate, number=turn, out=folder)
            done = worker.wait_for("done", "error")
            assert done["event"] == "done", done
            if turn:
                runs.append(done)
    for worker in workers:
        worker.__exit__()
    return {root: tell(family, root, runs) for root, runs in zip(roots, found)}


def tell(family, root, runs):
    network = statistics.median(run["inference_cpu_seconds"] for run in runs)
    beyond = statistics.median(run["cpu_seconds"] - run["inference_cpu_seconds"] for run in runs)
    share = statistics.median(run["cpu_seconds"] / run["inference_cpu_seconds"] - 1 for run in runs)
    wall = statistics.median(run["seconds"] / run["inference_seconds"] - 1 for run in runs)
    print(f"{family:8} network {network:7.3f} CPU s, beyond it {beyond * 1e3:6.1f} CPU ms = {share:.2%} (wall {wall:.2%})  {root}")
    return network, beyond


def tell_together(measured):
    for root in measured[TOGETHER[0]]:
        network, beyond = (sum(parts) for parts in zip(*(measured[family][root] for family in TOGETHER)))
        print(f"together network {network:7.3f} CPU s, beyond it {beyond * 1e3:6.1f} CPU ms = {beyond / network:.2%}  {root}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--family", action="append", choices=sorted(SECONDS))
    options.add_argument("--seconds", type=int)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--against", action="append", default=[], metavar="DIR")
    given = options.parse_args()
    measured = {}
    for family in given.family or SECONDS:
        folder = tempfile.mkdtemp()
        try:
            measured[family] = measure(family, given, folder)
        finally:
            shutil.rmtree(folder)
    if all(family in measured for family in TOGETHER):
        tell_together(measured)


if __name__ == "__main__":
    main()

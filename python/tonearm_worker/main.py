"""The worker's life: greet, load a model, run tracks one after the other, end when the caller is gone."""

import argparse
import importlib
import os
import platform
import threading
import time
import traceback

from . import PROTOCOL
from .errors import Cancelled, WorkerError, describe, is_out_of_memory
from .memory import resident_bytes
from .parent import die_with_parent
from .protocol import Refused, Replies, Requests, count_field, digest_field, id_field, is_id, text_field

FAMILIES = ("beats", "stems", "harmony")

ALIVE_SECONDS = 1.0
# After `quit` a running track may clean up for this long.
QUIT_SECONDS = 2.0
MAX_THREADS = 256
MAX_FRAMES = 1 << 33
# Runs that wait or go on, by number; a few more than can wait.
MAX_KNOWN = 1024


def main(arguments):
    replies = Replies.claim()
    die_with_parent()
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    options = argparse.ArgumentParser()
    options.add_argument("--family", choices=FAMILIES, required=True)
    options.add_argument("--ace", default=os.path.join(os.path.dirname(here), "consonance-ACE"))
    given = options.parse_args(arguments)
    Worker(given.family, os.path.abspath(given.ace), replies).serve()
    leave()


def still_libraries():
    """Before any of them is imported."""
    # A thread that has nothing to do sleeps instead of burning its core: a third of the CPU time on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "0"


class Worker:
    def __init__(self, family, ace, replies):
        self._family, self._ace, self._replies = family, ace, replies
        self._model = self._device = None
        # The device that had not the memory for the model, where the CPU stands in for it
        self._short = None
        self._devices = []
        self._cancelled = {}  # Whether each run that is known of was cancelled
        self._quitting = False
        self._busy = threading.Event()
        still_libraries()
        replies.send("hello", protocol=PROTOCOL, family=family, python=platform.python_version(), pid=os.getpid())
        threading.Thread(target=self._beat, name="alive", daemon=True).start()
        self._requests = Requests(0, self._at_once, self._dropped, leave)

    def serve(self):
        while not self._quitting:
            request = self._requests.next()
            if isinstance(request, Refused):
                self._replies.send("error", id=None, kind="bad_request", message=request.message)
            elif not self._quitting:
                self._answer(request)

    def _at_once(self, request):
        """Called by the reader: what must not wait for the running track."""
        number = request.get("id")
        if request.get("op") == "cancel":
            # One that comes after its run has ended is no mistake: the two crossed on the way.
            if is_id(number) and number in self._cancelled:
                self._cancelled[number] = True
            return True
        if request.get("op") == "run" and is_id(number) and len(self._cancelled) < MAX_KNOWN:
            self._cancelled.setdefault(number, False)
        if request.get("op") == "quit":
            self._quitting = True
            timer = threading.Timer(QUIT_SECONDS, leave)
            timer.daemon = True
            timer.start()
        return False

    def _dropped(self, request):
        """Called by the reader: nobody will answer this one."""
        if request.get("op") == "run" and is_id(request.get("id")):
            self._cancelled.pop(request["id"], None)

    def _beat(self):
        while True:
            self._busy.wait()
            time.sleep(ALIVE_SECONDS)
            if self._busy.is_set():
                self._replies.send("alive")

    def _answer(self, request):
        number = None
        self._busy.set()
        try:
            op = request.get("op")
            if op == "load":
                self._load(request)
            elif op == "run":
                number = id_field(request)
                self._run(request, number)
            elif op != "quit":
                raise WorkerError("bad_request", "`op` is load, run, cancel or quit")
        except Cancelled:
            self._busy.clear()
            self._replies.send("cancelled", id=number)
        except BaseException as error:
            self._busy.clear()
            self._fail(number, error)
        finally:
            self._busy.clear()
            self._cancelled.pop(number, None)

    def _fail(self, number, error):
        kind, message = describe(error)
        if kind == "internal":
            traceback.print_exc()
        self._replies.send("error", id=number, kind=kind, message=message)

    def _load(self, request):
        started = time.perf_counter()
        path = text_field(request, "path")
        wanted = text_field(request, "device") if "device" in request else "auto"
        threads = count_field(request, "threads", MAX_THREADS) if "threads" in request else os.cpu_count() or 1
        if request.get("dtype", "float32") != "float32":
            raise WorkerError("bad_request", "`dtype` is float32")
        sha256 = digest_field(request, "sha256") if request.get("sha256") is not None else None
        if not os.path.isfile(path):
            raise WorkerError("bad_model", f"No such file: {path}")
        if sha256 is not None:
            from .checkpoints import refuse_other_file

            refuse_other_file(path, sha256)
        # What is loaded goes first: two models at once would double the memory.
        self._model = None
        from . import devices

        module = importlib.import_module(f".{self._family}", __package__)
        settle(threads)
        self._devices = self._devices or devices.available()
        self._device, self._short = devices.choose(wanted, self._devices), None
        model, described = made(module, path, self._ace)
        self._place(model)
        self._model, self._module = model, module
        self._busy.clear()
        self._replies.send(
            "loaded",
            device=self._device,
            short=self._short,
            devices=self._devices,
            versions=versions(module.PACKAGES),
            model=described,
            seconds=time.perf_counter() - started,
            **held(),
        )

    def _run(self, request, number):
        if self._model is None:
            raise WorkerError("bad_request", "No model is loaded")
        started, cpu = time.perf_counter(), time.process_time()
        with self._open(request) as pcm:
            from .job import Job

            out = text_field(request, "out") if request.get("out") is not None else None
            job = Job(number, pcm, out, self._replies, lambda: self._quitting or self._cancelled.get(number, False))
            result = self._compute(job)
        self._busy.clear()
        self._replies.send(
            "done",
            id=number,
            device=self._device,
            short=self._short,
            result=result,
            seconds=time.perf_counter() - started,
            cpu_seconds=time.process_time() - cpu,
            inference_seconds=job.network_seconds,
            inference_cpu_seconds=job.network_cpu_seconds,
            **held(),
        )

    def _open(self, request):
        from .pcm import Pcm

        frames = count_field(request, "frames", MAX_FRAMES)
        shape = count_field(request, "channels", 64), count_field(request, "rate", 1 << 20)
        path = text_field(request, "pcm")
        if shape != (self._module.CHANNELS, self._module.RATE):
            raise WorkerError(
                "bad_request", f"{self._family} needs {self._module.CHANNELS} channels at {self._module.RATE} Hz"
            )
        return Pcm(path, frames, *shape)

    def _place(self, model):
        """Put a network where it is to compute."""
        try:
            model.network.to(self._device)
        except RuntimeError as error:
            if not self._is_short(error):
                raise
            # Behind this block, where the error no longer holds on to what is on the GPU.
            self._short = self._device
        if self._short:
            self._stand_in(model)

    def _compute(self, job):
        try:
            return self._model.run(job, self._device)
        except RuntimeError as error:
            if not self._is_short(error):
                raise
            self._short = self._device
        self._stand_in(self._model)
        return self._model.run(job, self._device)

    def _is_short(self, error):
        return self._device != "cpu" and is_out_of_memory(error)

    def _stand_in(self, model):
        """From now on the CPU computes in place of the GPU that is short of memory."""
        self._device = "cpu"
        model.network.to("cpu")
        release(self._short)


def leave():
    """End now, in the middle of anything."""
    from . import partial

    partial.remove_all()
    os._exit(0)


def held():
    """What a reply says of this process's memory: nothing where that is unknown."""
    found = resident_bytes()
    return {} if found is None else {"rss_bytes": found}


def made(module, path, ace):
    """The model, and what is told of it."""
    try:
        model = module.Model(path, ace)
        return model, description(model)
    except RecursionError:
        raise WorkerError("bad_model", "The model's description is nested too deeply") from None


def settle(threads):
    """Threads, and the same result each time on a GPU as well: no shorter floats, no kernel that is fast but varies."""
    import torch

    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    try:
        torch.set_num_interop_threads(1)
    except RuntimeError:
        pass  # Only the first call of a process counts.


def release(device):
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def versions(packages):
    from importlib import metadata

    import torch

    # The build of PyTorch (+cpu, +cu130) stands in its own version alone.
    return {name: metadata.version(name) for name in packages} | {"torch": str(torch.__version__)}


def description(model):
    from .checkpoints import describable, parameters_of

    return {
        "kind": model.kind,
        "hyper_parameters": describable(model.hyper_parameters),
        "parameters": parameters_of(model.network),
    }

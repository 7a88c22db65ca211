"""Checkpoints from anywhere: damaged, dishonest, or out to run code."""

import json
import os
import pickle
import struct
import time
import unittest
import zipfile

import support


def setUpModule():
    support.need("numpy", "torch", "torchaudio", "beat_this", "demucs", "safetensors")


class Touch:
    """Runs code where it is unpickled: makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


FAMILIES = {"beats": "beat_this-tiny.ckpt", "stems": "htdemucs-tiny.th", "harmony": "ace-tiny.ckpt"}


def load(family, path):
    import importlib

    return importlib.import_module(f"tonearm_worker.{family}").Model(path, support.ACE_DIR)


def lists():
    """2^40 values in a few bytes, since each list stands in the next one twice."""
    value = [0]
    for _ in range(40):
        value = [value, value]
    return value


def dicts():
    value = {}
    for _ in range(40):
        value = {"a": value, "b": value}
    return value


def chain():
    """No end of values in a list that stands in itself."""
    value = [0] * 60
    value.append(value)
    return value


class Refusals(unittest.TestCase):
    def refused(self, family, path, words=""):
        from tonearm_worker.errors import WorkerError

        started = time.monotonic()
        with self.assertRaises(WorkerError) as caught:
            load(family, path)
        self.assertEqual(caught.exception.kind, "bad_model")
        self.assertIn(words, caught.exception.message)
        self.assertLess(time.monotonic() - started, 30)

    def path(self, name="bad.ckpt"):
        return os.path.join(support.fresh_folder(), name)

    def test_a_pickle_that_runs_code_is_refused_and_runs_none(self):
        import torch

        for family in FAMILIES:
            trap, path = self.path("ran"), self.path()
            torch.save({"state_dict": {}, "state": {}, "hyper_parameters": Touch(trap)}, path)
            self.refused(family, path)
            self.assertFalse(os.path.exists(trap), family)
            # The trap works where nobody takes care.
            with zipfile.ZipFile(path) as archive:
                name = next(each for each in archive.namelist() if each.endswith("data.pkl"))
                pickle.loads(archive.read(name))
            self.assertTrue(os.path.isdir(trap))

    def test_a_pickle_that_calls_for_memory_is_refused_before_it_gets_any(self):
        import torch

        class Greedy:
            def __init__(self, call, *given):
                self.call, self.given = call, given

            def __reduce__(self):
                return self.call, self.given

        # So small that without the refusal all would be well.
        expanded = torch.zeros(1).expand(1000)
        from_cpu = torch._utils._rebuild_device_tensor_from_cpu_tensor
        for call, *given in ((bytearray, 1000), (from_cpu, expanded, torch.float64, "cpu", False)):
            for family, name in FAMILIES.items():
                with self.subTest(family=family, call=call.__name__):
                    path = self.edited(name, lambda contents: contents.update(more=Greedy(call, *given)))
                    self.refused(family, path, "more than weights")

    def test_a_bare_pickle_is_refused_and_runs_no_code(self):
        for family in FAMILIES:
            trap, path = self.path("ran"), self.path()
            with open(path, "wb") as file:
                pickle.dump(Touch(trap), file)
            self.refused(family, path)
            self.assertFalse(os.path.exists(trap))

    def test_safetensors_cannot_name_what_is_called(self):
        import safetensors.torch
        import torch

        for klass, args in (("os.mkdir", [self.path("ran")]), ("demucs.hdemucs.HDemucs", []), (None, [])):
            path = self.path("net.safetensors")
            metadata = {"args": json.dumps(args), "kwargs": "{}", **({"klass": klass} if klass else {})}
            safetensors.torch.save_file({"a": torch.zeros(1)}, path, metadata)
            self.refused("stems", path, "Not an htdemucs model")
            if args:
                self.assertFalse(os.path.exists(args[0]))

    def test_truncated_files_are_refused(self):
        for family, name in [*FAMILIES.items(), ("stems", "htdemucs-tiny.safetensors")]:
            with open(os.path.join(support.checkpoints(), name), "rb") as file:
                whole = file.read()
            for size in (0, 1, 4, 100, len(whole) // 2, len(whole) - 1):
                path = self.path()
                with open(path, "wb") as file:
                    file.write(whole[:size])
                self.refused(family, path)

    def test_noise_is_refused(self):
        import random

        chance = random.Random(7)
        for family, name in [*FAMILIES.items(), ("stems", "htdemucs-tiny.safetensors")]:
            path = self.path()
            with open(path, "wb") as file:
                file.write(chance.randbytes(5000))
            self.refused(family, path)
            # Flipped bytes in the middle of the header or the pickle must never be a crash.
            with open(os.path.join(support.checkpoints(), name), "rb") as file:
                whole = bytearray(file.read())
            for _ in range(15):
                damaged = bytearray(whole)
                for _ in range(20):
                    damaged[chance.randrange(min(len(whole), 20_000))] = chance.randrange(256)
                with open(path, "wb") as file:
                    file.write(damaged)
                self.survived(family, path)

    def survived(self, family, path):
        from tonearm_worker.errors import WorkerError

        try:
            load(family, path)
        except WorkerError as error:
            self.assertEqual(error.kind, "bad_model")

    def test_an_archive_that_grows_is_refused(self):
        path = self.path()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", b"\0" * 50_000_000)
        for family in FAMILIES:
            self.refused(family, path, "compressed")

    def test_a_safetensors_header_that_lies_is_refused(self):
        for header, size in ((b"{}", 1 << 60), (b'{"a":{"dtype":"F32","shape":[9999999],"data_offsets":[0,39999996]}}', 66)):
            path = self.path("net.safetensors")
            with open(path, "wb") as file:
                file.write(struct.pack("<Q", size) + header)
            self.refused("stems", path)

    def edited(self, name, change):
        """A checkpoint of the tests with its contents changed."""
        import torch
        from fractions import Fraction

        from demucs.htdemucs import HTDemucs

        with torch.serialization.safe_globals([HTDemucs, Fraction]):
            contents = torch.load(os.path.join(support.checkpoints(), name), weights_only=True)
        change(contents)
        path = self.path()
        torch.save(contents, path)
        return path

    def test_hyper_parameters_that_ask_for_too_much_are_refused_at_once(self):
        table = [
            ("beats", "hyper_parameters", {"n_layers": 10**9}),
            ("beats", "hyper_parameters", {"transformer_dim": 10**9}),
            ("beats", "hyper_parameters", {"transformer_dim": 4096, "n_layers": 60}),
            ("beats", "hyper_parameters", {"transformer_dim": "many"}),
            ("beats", "hyper_parameters", {"head_dim": 0}),
            ("beats", "hyper_parameters", {"dropout": 7}),
            ("harmony", "hyper_parameters", {"num_layers": 10**9}),
            ("harmony", "hyper_parameters", {"conformer_dim": 4096, "num_layers": 60}),
            ("harmony", "hyper_parameters", {"num_heads": 3}),
            ("harmony", "hyper_parameters", {"input_dim": 84}),
            ("harmony", "hyper_parameters", {"num_heads": float("nan")}),
            ("stems", "kwargs", {"t_layers": 10**9}),
            ("stems", "kwargs", {"channels": 500, "growth": 4, "depth": 8}),
            ("stems", "kwargs", {"segment": 10**6}),
            ("stems", "kwargs", {"segment": 0}),
            ("stems", "kwargs", {"samplerate": 8000}),
            ("stems", "kwargs", {"audio_channels": 1}),
            ("stems", "kwargs", {"sources": ["a", "b"]}),
            ("stems", "kwargs", {"use_train_segment": False}),
        ]
        for family, part, values in table:
            with self.subTest(family=family, **values):
                self.refused(family, self.edited(FAMILIES[family], lambda contents: contents[part].update(values)))

    def test_a_small_file_cannot_unfold_into_a_large_description(self):
        for made in (lists, dicts, chain):
            for family, part, name in (
                ("beats", "hyper_parameters", "dropout"),
                ("harmony", "hyper_parameters", "num_heads"),
                ("stems", "kwargs", "sources"),
                ("stems", "kwargs", "unknown"),
            ):
                with self.subTest(family=family, made=made.__name__, name=name):
                    path = self.edited(FAMILIES[family], lambda contents: contents[part].update({name: made()}))
                    self.refused(family, path, "too many values")
        path = self.edited(FAMILIES["stems"], lambda contents: contents.update(args=lists()))
        self.refused("stems", path, "too many values")

    def test_a_description_has_no_long_texts(self):
        long = "x" * 101
        for value in (long, ["a", long], {"a": long}, {long: 1}):
            for family, part, name in (("beats", "hyper_parameters", "dropout"), ("harmony", "hyper_parameters", "num_heads"),
                                       ("stems", "kwargs", "sources"), ("stems", "kwargs", "unknown")):  # fmt: skip
                with self.subTest(family=family, name=name, value=str(value)[:10]):
                    path = self.edited(FAMILIES[family], lambda contents: contents[part].update({name: value}))
                    self.refused(family, path, "too long")

    def test_what_is_told_of_a_model_is_bounded_of_itself(self):
        from tonearm_worker import checkpoints
        from tonearm_worker.errors import WorkerError

        for value in (lists(), dicts(), chain(), "x" * 101, {"x" * 101: 1}, ["a"] * 10_000):
            for told in (checkpoints.describable, checkpoints.plain):
                with self.assertRaises(WorkerError) as caught:
                    told({"value": value})
                self.assertEqual(caught.exception.kind, "bad_model")
        self.assertEqual(checkpoints.describable({"a": ["b" * 100] * 9000}), {"a": ["b" * 100] * 9000})

    def test_a_small_file_cannot_repeat_one_number_into_a_large_network(self):
        import make_checkpoints
        import torch
        from ace import model

        values = {**model.DEFAULTS, "conformer_dim": 512, "ffn_dim": 16_384, "num_layers": 8}
        with torch.device("meta"):
            state = model.Network(values).state_dict()
        state = {name: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape) for name, tensor in state.items()}
        path = self.path()
        torch.save(make_checkpoints.lightning(state, values), path)
        self.assertLess(os.path.getsize(path), 200_000)
        self.refused("harmony", path, "larger than the file holds")

    def test_tensors_must_be_those_of_the_network(self):
        import torch

        def without_one(state):
            state.pop(next(iter(state)))

        def one_more(state):
            state["more.weight"] = torch.zeros(1)

        def other_shape(state):
            state[next(iter(state))] = torch.zeros(1, 2, 3)

        def no_number(state):
            next(tensor for tensor in state.values() if tensor.is_floating_point()).fill_(float("nan"))

        def no_tensor(state):
            state[next(iter(state))] = "text"

        def replaced(change):
            def apply(state):
                name = next(name for name, tensor in state.items() if tensor.is_floating_point() and tensor.ndim == 2)
                state[name] = change(state[name].float())

            apply.__name__ = change.__name__
            return apply

        def eight_bits(tensor):
            return tensor.to(torch.float8_e4m3fn)

        def quantised(tensor):
            return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)

        def with_imaginary_parts(tensor):
            return tensor.to(torch.complex64)

        def whole_numbers(tensor):
            return tensor.to(torch.int32)

        kinds = [replaced(change) for change in (eight_bits, quantised, with_imaginary_parts, whole_numbers)]
        for family, name in FAMILIES.items():
            part = "state" if family == "stems" else "state_dict"
            for change in (without_one, one_more, other_shape, no_number, no_tensor, *kinds):
                with self.subTest(family=family, change=change.__name__):
                    self.refused(family, self.edited(name, lambda contents: change(contents[part])))
            self.refused(family, self.edited(name, lambda contents: contents.pop(part)))

    def test_a_fraction_in_a_pickle_is_read_without_being_built(self):
        from fractions import Fraction

        from tonearm_worker import stem_models

        self.assertEqual(stem_models.NamedFraction(39, 5).value(), Fraction(39, 5))
        self.assertEqual(stem_models.NamedFraction("39/5").value(), Fraction(39, 5))
        never_given = stem_models.NamedFraction.__new__(stem_models.NamedFraction)
        bad = (("1e999999999",), (1, 0), (), (1, 2, 3), (10**50,), ("a",), (lists(),), ("1", lists()))
        for fraction in (*(stem_models.NamedFraction(*parts) for parts in bad), never_given):
            with self.assertRaises(Exception) as caught:
                fraction.value()
            self.assertEqual(caught.exception.kind, "bad_model")

    def test_a_pickle_cannot_build_networks(self):
        import torch
        from demucs.htdemucs import HTDemucs

        class Built:
            def __reduce__(self):
                return HTDemucs, (["drums"],)

        path = self.path()
        torch.save({"klass": HTDemucs, "args": Built(), "kwargs": {}, "state": {}}, path)
        self.refused("stems", path)

    def test_a_folder_or_a_pipe_is_no_model(self):
        self.refused("stems", support.fresh_folder())
        if hasattr(os, "mkfifo"):
            path = self.path("pipe")
            os.mkfifo(path)
            for family in FAMILIES:
                self.refused(family, path)


if __name__ == "__main__":
    unittest.main()

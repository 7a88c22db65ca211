"""The overlap-add of demucs as a stream, in memory that does not grow with the track."""

from . import checkpoints

OVERLAP = 0.25


def weights(segment):
    """A triangle over the segment, 1 at its peak."""
    import torch

    half = segment // 2
    ramp = torch.cat([torch.arange(1, half + 1), torch.arange(segment - half, 0, -1)])
    return ramp / ramp.max()


def separate(network, segment, job, device, scale):
    """Yields parts of shape (sources, 2, n) from start to end.

    What demucs' apply_model(shifts=0, split=True, overlap=0.25) does, with only one segment of sums kept: segments
    start every `stride`, so what lies before the next start is final.
    """
    import torch

    frames, (mean, deviation) = job.pcm.frames, scale
    stride = int((1 - OVERLAP) * segment)
    starts = range(0, frames, stride)
    weight = weights(segment)
    sums = torch.zeros(len(network.sources), job.pcm.channels, segment)
    weight_sums = torch.zeros(segment)
    for done, start in enumerate(starts):
        job.check()
        length = min(frames - start, segment)
        # A short last segment is centred in what really stands around it, as the network wants its full length.
        before = (segment - length) // 2
        around = torch.from_numpy(job.pcm.read(start - before, segment))
        inside = zero_outside((around.T - mean) / deviation, before - start, frames)
        with job.network(), torch.no_grad():
            estimate = network(inside.unsqueeze(0).to(device))[0].float().cpu()
        sums[..., :length] += weight[:length] * estimate[..., before : before + length]
        weight_sums[:length] += weight[:length]
        final = min(stride, frames - start)
        parts = sums[..., :final] / weight_sums[:final] * deviation + mean
        if not bool(torch.isfinite(parts).all()):
            checkpoints.refuse("The model's answer is not a number")
        yield parts.numpy()
        sums, weight_sums = shifted(sums, stride), shifted(weight_sums, stride)
        job.progress(done + 1, len(starts))


def zero_outside(sound, offset, frames):
    """Silence outside of the track, after the mean was taken off; the track begins at `offset`."""
    if offset > 0:
        sound[..., :offset] = 0
    if offset + frames < sound.shape[-1]:
        sound[..., offset + frames :] = 0
    return sound


def shifted(sums, stride):
    import torch

    return torch.nn.functional.pad(sums[..., stride:], (0, stride))

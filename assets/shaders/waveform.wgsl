// A waveform: one strip of pixels after the other, all fetching done once a strip.
//
// Six bytes a column as on disk (min, max, rms, low, mid, high), three texels each, levels one below the other.
// `gpu/reduce.rs` does the same arithmetic on the processor; a test holds the two together.

struct Wave {
    // Pixels across, height of the viewport, centre line from its top, half the height of a full wave.
    size: vec4<f32>,
    // Gain, share of the next strip, share of the coarser level, share of single samples.
    look: vec4<f32>,
    // Exponent of heights over levels, 1 where the target wants linear light, thickness of lines, unused.
    law: vec4<f32>,
    // For each level: row where it begins, columns, column at the left edge; column within that, and per pixel.
    fine: vec4<i32>,
    fine_reach: vec4<f32>,
    coarse: vec4<i32>,
    coarse_reach: vec4<f32>,
    // Samples: those there are, the one at the left edge; sample within that, and per pixel.
    raw: vec4<i32>,
    raw_reach: vec4<f32>,
    // Regions low, mid, low+mid, high, low+high, mid+high, all; ground; centre line; samples.
    colours: array<vec4<f32>, 10>,
};

@group(0) @binding(0) var<uniform> wave: Wave;
@group(0) @binding(1) var columns: texture_2d_array<u32>;
@group(0) @binding(2) var samples: texture_2d<f32>;

const COLUMNS_PER_ROW: i32 = 682;
const ROWS_PER_LAYER: i32 = 512;
const SAMPLES_PER_ROW: i32 = 2048;
const MOST_COLUMNS: i32 = 1024;
const MOST_SAMPLES: i32 = 128;
// How far beyond a pixel its extremes are looked for, as a share of its width.
const SOFT: f32 = 0.5;
const PI: f32 = 3.14159265;

struct Shape {
    // Up and down from the centre, mean power.
    outline: vec3<f32>,
    bands: vec3<f32>,
};

fn column(level: vec4<i32>, index: i32) -> Shape {
    if (index < 0 || index >= level.y) {
        return Shape(vec3<f32>(0.0), vec3<f32>(0.0));
    }
    let row = level.x + index / COLUMNS_PER_ROW;
    let x = (index % COLUMNS_PER_ROW) * 3;
    let at = vec2<i32>(x, row % ROWS_PER_LAYER);
    let layer = row / ROWS_PER_LAYER;
    let extremes = textureLoad(columns, at, layer, 0).x;
    let powers = textureLoad(columns, at + vec2<i32>(1, 0), layer, 0).x;
    let upper = textureLoad(columns, at + vec2<i32>(2, 0), layer, 0).x;
    let lowest = f32(i32(extremes << 24u) >> 24u);
    let highest = f32(i32(extremes << 16u) >> 24u);
    let rms = f32(powers & 255u) / 255.0;
    let bands = vec3<f32>(f32(powers >> 8u), f32(upper & 255u), f32(upper >> 8u)) / 255.0;
    let power = rms * rms * rms * rms;
    return Shape(vec3<f32>(max(highest, 0.0) / 127.0, max(-lowest, 0.0) / 127.0, power), bands * bands);
}

// Everything under one pixel: bands and power as means, extremes as extremes. A column counts in full for the
// pixel that its middle lies in, less and less for the next one: zooming brings it in little by little.
fn reduced(level: vec4<i32>, reach: vec4<f32>, pixel: i32) -> Shape {
    let per_pixel = reach.y;
    let width = max(per_pixel, 1.0);
    let begin = reach.x + (f32(pixel) + 0.5) * per_pixel - 0.5 * width;
    let end = begin + width;
    let soft = SOFT * width;
    let first = i32(floor(begin - soft));
    let last = min(i32(ceil(end + soft)), first + MOST_COLUMNS);
    var mean = Shape(vec3<f32>(0.0), vec3<f32>(0.0));
    var extremes = vec2<f32>(0.0);
    for (var index = first; index < last; index++) {
        let left = f32(index);
        let share = max(min(left + 1.0, end) - max(left, begin), 0.0);
        let outside = max(max(begin - left - 0.5, left + 0.5 - end), 0.0);
        let found = column(level, level.z + index);
        mean.outline += found.outline * share;
        mean.bands += found.bands * share;
        extremes = max(extremes, found.outline.xy * max(1.0 - outside / soft, 0.0));
    }
    mean.outline /= width;
    mean.bands /= width;
    let sharp = clamp(2.0 * per_pixel - 1.0, 0.0, 1.0);
    let outline = mix(mean.outline.xy, extremes, sharp);
    return Shape(vec3<f32>(outline, sqrt(sqrt(max(mean.outline.z, 0.0)))), mean.bands);
}

fn raised(level: f32) -> f32 {
    return pow(clamp(level * wave.look.x, 0.0, 1.0), wave.law.x);
}

// Levels to heights in pixels.
fn heights(found: Shape) -> Shape {
    let up = raised(found.outline.x);
    let down = raised(found.outline.y);
    let peak = max(up, down);
    let level = clamp(found.bands.z * wave.look.x * 1.3, 0.0, 1.0);
    let high = pow(0.5 - 0.5 * cos(PI * level), wave.law.x);
    let bands = min(vec3<f32>(raised(found.bands.x), raised(found.bands.y), high), vec3<f32>(peak));
    // Companded power is the square root of a level.
    let rms = raised(found.outline.z * found.outline.z);
    return Shape(vec3<f32>(up, down, rms) * wave.size.w, bands * wave.size.w);
}

fn strip(pixel: i32) -> Shape {
    var found = reduced(wave.fine, wave.fine_reach, pixel);
    let fade = wave.look.z;
    if (fade > 0.0) {
        let coarse = reduced(wave.coarse, wave.coarse_reach, pixel);
        found.outline = mix(found.outline, coarse.outline, fade);
        found.bands = mix(found.bands, coarse.bands, fade);
    }
    return heights(found);
}

fn sample(index: i32) -> f32 {
    let at = clamp(index, 0, max(wave.raw.x - 1, 0));
    return textureLoad(samples, vec2<i32>(at % SAMPLES_PER_ROW, at / SAMPLES_PER_ROW), 0).x;
}

fn between(place: f32) -> f32 {
    let whole = floor(place);
    let index = wave.raw.y + i32(whole);
    return mix(sample(index), sample(index + 1), place - whole);
}

fn signed_height(level: f32) -> f32 {
    return sign(level) * raised(abs(level)) * wave.size.w;
}

// Lowest and highest of the signal under one pixel, as heights.
fn trace(pixel: i32) -> vec2<f32> {
    let begin = wave.raw_reach.x + f32(pixel) * wave.raw_reach.y;
    let end = begin + wave.raw_reach.y;
    let one = between(begin);
    let other = between(end);
    var extremes = vec2<f32>(min(one, other), max(one, other));
    let first = i32(floor(begin)) + 1;
    let last = min(i32(ceil(end)), first + MOST_SAMPLES);
    for (var index = first; index < last; index++) {
        let level = sample(wave.raw.y + index);
        extremes = vec2<f32>(min(extremes.x, level), max(extremes.y, level));
    }
    return vec2<f32>(signed_height(extremes.x), signed_height(extremes.y));
}

struct Strip {
    @builtin(position) position: vec4<f32>,
    // Pixels above the centre line.
    @location(0) y: f32,
    @location(1) @interpolate(flat) outline: vec3<f32>,
    @location(2) @interpolate(flat) bands: vec3<f32>,
    @location(3) @interpolate(flat) next_outline: vec3<f32>,
    @location(4) @interpolate(flat) next_bands: vec3<f32>,
    // Lowest and highest of this strip and of the next.
    @location(5) @interpolate(flat) traces: vec4<f32>,
};

fn placed(x: f32, y_down: f32) -> vec4<f32> {
    return vec4<f32>(x / wave.size.x * 2.0 - 1.0, 1.0 - y_down / wave.size.y * 2.0, 0.0, 1.0);
}

@vertex
fn vs_strip(@builtin(vertex_index) corner: u32, @builtin(instance_index) instance: u32) -> Strip {
    let pixel = i32(instance);
    let here = strip(pixel);
    let next = strip(pixel + 1);
    var traces = vec4<f32>(0.0);
    if (wave.look.w > 0.0) {
        traces = vec4<f32>(trace(pixel), trace(pixel + 1));
    }
    // No more rows than are touched.
    let bands = max(here.bands, next.bands);
    let tallest = max(bands.x, max(bands.y, bands.z));
    let edge = wave.law.z + 2.0;
    let top = max(max(max(here.outline.x, next.outline.x), tallest), max(traces.y, traces.w)) + edge;
    let bottom = max(max(max(here.outline.y, next.outline.y), tallest), max(-traces.x, -traces.z)) + edge;
    let y = select(top, -bottom, (corner >> 1u) == 1u);
    let x = f32(pixel) + f32(corner & 1u);
    var out: Strip;
    out.position = placed(x, wave.size.z - y);
    out.y = y;
    out.outline = here.outline;
    out.bands = here.bands;
    out.next_outline = next.outline;
    out.next_bands = next.bands;
    out.traces = traces;
    return out;
}

// How much of the row of pixels at distance `y` lies within `height`.
fn covered(y: f32, height: f32) -> f32 {
    return clamp(min(height - y + 0.5, 2.0 * height), 0.0, 1.0);
}

fn ground(y: f32) -> vec3<f32> {
    let line = covered(abs(y), 0.5 * wave.law.z);
    return mix(wave.colours[7].rgb, wave.colours[8].rgb, line * wave.colours[8].a);
}

fn region(colour: vec3<f32>, bits: u32, within: f32, body: f32) -> vec3<f32> {
    let paint = mix(wave.colours[bits - 1u].rgb, vec3<f32>(1.0), 0.1 * body);
    return mix(colour, paint, within * mix(0.82, 1.0, body));
}

fn shade(y: f32, outline: vec3<f32>, bands: vec3<f32>) -> vec3<f32> {
    let distance = abs(y);
    let edge = select(outline.y, outline.x, y >= 0.0);
    var colour = ground(y);
    colour = mix(colour, wave.colours[0].rgb, 0.38 * covered(distance, edge));
    var height = bands;
    var bit = vec3<u32>(1u, 2u, 4u);
    if (height.y > height.x) { height = height.yxz; bit = bit.yxz; }
    if (height.z > height.y) { height = height.xzy; bit = bit.xzy; }
    if (height.y > height.x) { height = height.yxz; bit = bit.yxz; }
    let body = covered(distance, 1.3 * outline.z);
    colour = region(colour, bit.x, covered(distance, height.x), body);
    colour = region(colour, bit.x | bit.y, covered(distance, height.y), body);
    return region(colour, 7u, covered(distance, height.z), body);
}

fn traced(colour: vec3<f32>, y: f32, extremes: vec2<f32>) -> vec3<f32> {
    let half = 0.5 * wave.law.z;
    let line = clamp(min(extremes.y + half - y, y - extremes.x + half) + 0.5, 0.0, 1.0);
    let dim = mix(colour, ground(y), 0.72 * wave.look.w);
    return mix(dim, wave.colours[9].rgb, line * wave.look.w);
}

fn finished(colour: vec3<f32>) -> vec4<f32> {
    if (wave.law.y < 0.5) {
        return vec4<f32>(colour, 1.0);
    }
    let low = colour / 12.92;
    let high = pow((colour + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, colour < vec3<f32>(0.04045)), 1.0);
}

@fragment
fn fs_strip(in: Strip) -> @location(0) vec4<f32> {
    var here = shade(in.y, in.outline, in.bands);
    var next = shade(in.y, in.next_outline, in.next_bands);
    if (wave.look.w > 0.0) {
        here = traced(here, in.y, in.traces.xy);
        next = traced(next, in.y, in.traces.zw);
    }
    return finished(mix(here, next, wave.look.y));
}

struct Ground {
    @builtin(position) position: vec4<f32>,
    @location(0) y: f32,
};

@vertex
fn vs_ground(@builtin(vertex_index) corner: u32) -> Ground {
    let down = f32(corner >> 1u) * wave.size.y;
    return Ground(placed(f32(corner & 1u) * wave.size.x, down), wave.size.z - down);
}

@fragment
fn fs_ground(in: Ground) -> @location(0) vec4<f32> {
    return finished(ground(in.y));
}

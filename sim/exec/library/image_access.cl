// Reads and writes of single texels and of what a sampler makes of coordinates (OpenCL 3.0, "Image Addressing and
// Filtering"). Coordinates are (x, y, z) for every type of image: the index of an array is the dimension after those of
// its images, and dimensions that an image lacks have one element.

// ImageDescriptor of sim/iface/kernel_engine.h.
typedef struct {
  global uchar* data;
  ulong row_pitch, slice_pitch;
  uint width, height, depth, array_size;
  uint order, type, pixel_bytes, dimensions;
} Image;
#define IMAGE(x) __builtin_astype(x, private Image*)
#define SAMPLER(s) ((uint)(ulong)__builtin_astype(s, constant char*))

// A program's memory may lie anywhere.
typedef ushort loose_ushort __attribute__((aligned(1)));
typedef uint loose_uint __attribute__((aligned(1)));
typedef uint2 loose_uint2 __attribute__((aligned(1)));
typedef uint4 loose_uint4 __attribute__((aligned(1)));

FUNCTION bool __sluice_inside(int4 at, int4 size) {
  const uint4 a = as_uint4(at);
  const uint4 s = as_uint4(size);
  return a.x < s.x && a.y < s.y && a.z < s.z;
}
FUNCTION global uchar* __sluice_texel(private Image* image, int4 at) {
  return image->data + (ulong)at.z * image->slice_pitch + (ulong)at.y * image->row_pitch +
         (ulong)at.x * image->pixel_bytes;
}
// These two are accesses of the kernel, logged where they are called (sim/exec/instrument.cpp).
__attribute__((pure)) uint4 __sluice_texture_load(const global uchar* from, uint bytes) {
  switch (bytes) {
    case 1: return (uint4)(*from, 0, 0, 0);
    case 2: return (uint4)(*(const global loose_ushort*)from, 0, 0, 0);
    case 4: return (uint4)(*(const global loose_uint*)from, 0, 0, 0);
    case 8: return (uint4)(*(const global loose_uint2*)from, 0, 0);
    default: return *(const global loose_uint4*)from;
  }
}
void __sluice_texture_store(global uchar* to, uint bytes, uint4 raw) {
  switch (bytes) {
    case 1: *to = (uchar)raw.x; break;
    case 2: *(global loose_ushort*)to = (ushort)raw.x; break;
    case 4: *(global loose_uint*)to = raw.x; break;
    case 8: *(global loose_uint2*)to = raw.xy; break;
    default: *(global loose_uint4*)to = raw; break;
  }
}
FUNCTION uint4 __sluice_load(private Image* image, int4 at) {
  return __sluice_texture_load(__sluice_texel(image, at), image->pixel_bytes);
}
FUNCTION void __sluice_store(private Image* image, int4 at, int4 size, uint4 raw) {
  if (__sluice_inside(at, size)) __sluice_texture_store(__sluice_texel(image, at), image->pixel_bytes, raw);
}

FUNCTION float4 __sluice_fetch(private Image* image, int4 at, int4 size) {
  if (!__sluice_inside(at, size)) return as_float4(__sluice_texture_border(image->order, as_uint(1.0f)));
  return __sluice_texture_decode(__sluice_load(image, at), image->order, image->type);
}
FUNCTION uint4 __sluice_fetch_integer(private Image* image, int4 at, int4 size) {
  if (!__sluice_inside(at, size)) return __sluice_texture_border(image->order, 1);
  return __sluice_texture_decode_integer(__sluice_load(image, at), image->order, image->type);
}

// The two texels of one dimension that a filter mixes (nearest takes the first), and in z the share of the second.
// Coordinates are first brought to where integers can hold them, which leaves them outside on the same side.
TEXTURE int4 __sluice_texture_axis(float s, int size, uint sampler) {
  const bool linear = (sampler & 0x30) == CLK_FILTER_LINEAR;
  const uint addressing = sampler & 0xE;
  const float width = (float)size;
  if (addressing == CLK_ADDRESS_REPEAT) {
    s = (s - __builtin_floorf(s)) * width;
  } else if (addressing == CLK_ADDRESS_MIRRORED_REPEAT) {
    s = __builtin_fabsf(s - 2.0f * __builtin_rintf(0.5f * s)) * width;
  } else if ((sampler & 1) != 0) {
    s *= width;
  }
  s = s > -4.0f ? s : -4.0f;
  s = s < width + 4.0f ? s : width + 4.0f;
  if (linear) s -= 0.5f;
  const float whole = __builtin_floorf(s);
  int first = (int)whole;
  int second = first + 1;
  switch (addressing) {
    case CLK_ADDRESS_REPEAT:
      if (first < 0) first += size;
      if (first > size - 1) first -= size;
      if (second > size - 1) second -= size;
      break;
    case CLK_ADDRESS_MIRRORED_REPEAT:
    case CLK_ADDRESS_CLAMP_TO_EDGE:
      first = first < 0 ? 0 : first < size ? first : size - 1;
      second = second < 0 ? 0 : second < size ? second : size - 1;
      break;
    default: break;
  }
  return (int4)(first, second, as_int(s - whole), 0);
}

// Addressing of integer coordinates, for which only the modes that clamp are defined.
FUNCTION int __sluice_clamp(int at, int size) { return at < 0 ? 0 : at < size ? at : size - 1; }
FUNCTION int4 __sluice_address(int4 at, int4 size, uint sampler, uint axes) {
  if ((sampler & 0xE) != CLK_ADDRESS_CLAMP_TO_EDGE) return at;
  at.x = __sluice_clamp(at.x, size.x);
  if (axes > 1) at.y = __sluice_clamp(at.y, size.y);
  if (axes > 2) at.z = __sluice_clamp(at.z, size.z);
  return at;
}

// An array's index is rounded and clamped whatever the sampler says. `axes`: dimensions of one image.
TEXTURE int __sluice_texture_layer(float index, int size) {
  index = index > 0.0f ? index : 0.0f;
  index = index < (float)size ? index : (float)size;
  return __sluice_clamp((int)__builtin_rintf(index), size);
}
FUNCTION int4 __sluice_layer(int4 at, int4 size, uint axes) {
  if (axes == 1) at.y = __sluice_clamp(at.y, size.y);
  if (axes == 2) at.z = __sluice_clamp(at.z, size.z);
  return at;
}
FUNCTION int4 __sluice_layer(float4 at, int4 size, uint axes) {
  int4 result = 0;
  if (axes == 1) result.y = __sluice_texture_layer(at.y, size.y);
  if (axes == 2) result.z = __sluice_texture_layer(at.z, size.z);
  return result;
}

FUNCTION float4 __sluice_sample(private Image* image, uint sampler, float4 at, int4 size, uint axes) {
  const int4 x = __sluice_texture_axis(at.x, size.x, sampler);
  const int4 y = axes > 1 ? __sluice_texture_axis(at.y, size.y, sampler) : (int4)(0);
  const int4 z = axes > 2 ? __sluice_texture_axis(at.z, size.z, sampler) : (int4)(0);
  int4 texel = __sluice_layer(at, size, axes);
  const bool linear = (sampler & 0x30) == CLK_FILTER_LINEAR;
  const uint texels = linear ? 1u << axes : 1;
  float4 sum = 0.0f;
  __attribute__((opencl_unroll_hint(1)))
  for (uint i = 0; i < texels; ++i) {
    const bool right = (i & 1) != 0;
    const bool below = (i & 2) != 0;
    const bool behind = (i & 4) != 0;
    texel.x = right ? x.y : x.x;
    if (axes > 1) texel.y = below ? y.y : y.x;
    if (axes > 2) texel.z = behind ? z.y : z.x;
    const float4 color = __sluice_fetch(image, texel, size);
    if (!linear) return color;
    float share = right ? as_float(x.z) : 1.0f - as_float(x.z);
    if (axes > 1) share *= below ? as_float(y.z) : 1.0f - as_float(y.z);
    if (axes > 2) share *= behind ? as_float(z.z) : 1.0f - as_float(z.z);
    sum += share * color;
  }
  return sum;
}
FUNCTION float4 __sluice_sample(private Image* image, uint sampler, int4 at, int4 size, uint axes) {
  return __sluice_fetch(image, __sluice_layer(__sluice_address(at, size, sampler, axes), size, axes), size);
}
FUNCTION uint4 __sluice_sample_integer(private Image* image, uint sampler, float4 at, int4 size, uint axes) {
  const uint nearest = sampler & 0xF;  // what linear filters make of integers is undefined
  int4 texel = __sluice_layer(at, size, axes);
  texel.x = __sluice_texture_axis(at.x, size.x, nearest).x;
  if (axes > 1) texel.y = __sluice_texture_axis(at.y, size.y, nearest).x;
  if (axes > 2) texel.z = __sluice_texture_axis(at.z, size.z, nearest).x;
  return __sluice_fetch_integer(image, texel, size);
}
FUNCTION uint4 __sluice_sample_integer(private Image* image, uint sampler, int4 at, int4 size, uint axes) {
  return __sluice_fetch_integer(image, __sluice_layer(__sluice_address(at, size, sampler, axes), size, axes), size);
}

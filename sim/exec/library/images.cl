// Images: the descriptor that an image argument points to is ImageDescriptor of sim/iface/kernel_engine.h.
typedef struct {
  global uchar* data;
  ulong row_pitch, slice_pitch;
  uint width, height, depth, array_size;
  uint order, type, pixel_bytes, dimensions;
} Image;
#define IMAGE(x) __builtin_astype(x, private Image*)
#define SAMPLER(s) ((uint)(ulong)__builtin_astype(s, constant char*))
#define TYPE_UNORM_INT8 0x10D2
#define TYPE_FLOAT 0x10DE

FUNCTION global uchar* __sluice_texel_2d(private Image* image, int2 at) {
  return image->data + (ulong)at.y * image->row_pitch + (ulong)at.x * image->pixel_bytes;
}
FUNCTION bool __sluice_inside_2d(private Image* image, int2 at) {
  return at.x >= 0 && at.y >= 0 && at.x < (int)image->width && at.y < (int)image->height;
}
FUNCTION float4 __sluice_load_2d(private Image* image, int2 at) {
  global uchar* texel = __sluice_texel_2d(image, at);
  if (image->type == TYPE_FLOAT) return *(global float4*)texel;
  return convert_float4(*(global uchar4*)texel) * (1.0f / 255.0f);
}
FUNCTION float4 __sluice_sample_2d(private Image* image, uint sampler, int2 at) {
  if (!__sluice_inside_2d(image, at)) {
    if ((sampler & 0xE) == CLK_ADDRESS_CLAMP) return (float4)(0.0f);
    at = clamp(at, (int2)(0), (int2)((int)image->width - 1, (int)image->height - 1));
  }
  return __sluice_load_2d(image, at);
}
FUNCTION float4 __sluice_read_2d(private Image* image, uint sampler, float2 at) {
  if ((sampler & 1) != 0) at *= (float2)(image->width, image->height);
  if ((sampler & 0x30) != CLK_FILTER_LINEAR) return __sluice_sample_2d(image, sampler, convert_int2_sat_rtn(at));
  at -= 0.5f;
  const float2 whole = floor(at);
  const float2 part = at - whole;
  const int2 first = convert_int2_sat(whole);
  const float4 above =
      mix(__sluice_sample_2d(image, sampler, first), __sluice_sample_2d(image, sampler, first + (int2)(1, 0)), part.x);
  const float4 below = mix(__sluice_sample_2d(image, sampler, first + (int2)(0, 1)),
                           __sluice_sample_2d(image, sampler, first + (int2)(1, 1)), part.x);
  return mix(above, below, part.y);
}
FUNCTION float4 read_imagef(read_only image2d_t image, sampler_t sampler, int2 at) {
  return __sluice_sample_2d(IMAGE(image), SAMPLER(sampler), at);
}
FUNCTION float4 read_imagef(read_only image2d_t image, sampler_t sampler, float2 at) {
  return __sluice_read_2d(IMAGE(image), SAMPLER(sampler), at);
}
FUNCTION float4 read_imagef(read_only image2d_t image, int2 at) {
  return __sluice_load_2d(IMAGE(image), at);
}
FUNCTION void write_imagef(write_only image2d_t image, int2 at, float4 value) {
 private
  Image* to = IMAGE(image);
  if (!__sluice_inside_2d(to, at)) return;
  if (to->type == TYPE_FLOAT) {
    *(global float4*)__sluice_texel_2d(to, at) = value;
  } else {
    *(global uchar4*)__sluice_texel_2d(to, at) = convert_uchar4_sat_rte(value * 255.0f);
  }
}
#define EXTENTS(access)                                   \
  FUNCTION int get_image_width(access image2d_t image) {  \
    return (int)IMAGE(image)->width;                      \
  }                                                       \
  FUNCTION int get_image_height(access image2d_t image) { \
    return (int)IMAGE(image)->height;                     \
  }
EXTENTS(read_only) EXTENTS(write_only) EXTENTS(read_write)

// The image functions of OpenCL C. Each type of image is a row of macros: how many dimensions one of its images has,
// the types of its coordinates, and how they and its extents become (x, y, z).
#include "image_formats.cl"
#include "image_access.cl"

#define SIZE_1D(i) (int4)((int)(i)->width, 1, 1, 0)
#define SIZE_1D_ARRAY(i) (int4)((int)(i)->width, (int)(i)->array_size, 1, 0)
#define SIZE_2D(i) (int4)((int)(i)->width, (int)(i)->height, 1, 0)
#define SIZE_2D_ARRAY(i) (int4)((int)(i)->width, (int)(i)->height, (int)(i)->array_size, 0)
#define SIZE_3D(i) (int4)((int)(i)->width, (int)(i)->height, (int)(i)->depth, 0)
#define WIDEN_1(T, c) (T##4)(c, 0, 0, 0)
#define WIDEN_2(T, c) (T##4)(c, 0, 0)
#define WIDEN_4(T, c) (c)

// With a sampler: T of `coordinate` is int or float.
#define READ_SAMPLED(image_type, coordinate, T, n, size, axes)                                                         \
  FUNCTION float4 read_imagef(read_only image_type image, sampler_t sampler, coordinate at) {                          \
    return __sluice_sample(IMAGE(image), SAMPLER(sampler), WIDEN_##n(T, at), size(IMAGE(image)), axes);                \
  }                                                                                                                    \
  FUNCTION half4 read_imageh(read_only image_type image, sampler_t sampler, coordinate at) {                           \
    return __builtin_convertvector(read_imagef(image, sampler, at), half4);                                            \
  }                                                                                                                    \
  FUNCTION int4 read_imagei(read_only image_type image, sampler_t sampler, coordinate at) {                            \
    return as_int4(                                                                                                    \
        __sluice_sample_integer(IMAGE(image), SAMPLER(sampler), WIDEN_##n(T, at), size(IMAGE(image)), axes));          \
  }                                                                                                                    \
  FUNCTION uint4 read_imageui(read_only image_type image, sampler_t sampler, coordinate at) {                          \
    return __sluice_sample_integer(IMAGE(image), SAMPLER(sampler), WIDEN_##n(T, at), size(IMAGE(image)), axes);        \
  }
READ_SAMPLED(image1d_t, int, int, 1, SIZE_1D, 1)
READ_SAMPLED(image1d_t, float, float, 1, SIZE_1D, 1)
READ_SAMPLED(image1d_array_t, int2, int, 2, SIZE_1D_ARRAY, 1)
READ_SAMPLED(image1d_array_t, float2, float, 2, SIZE_1D_ARRAY, 1)
READ_SAMPLED(image2d_t, int2, int, 2, SIZE_2D, 2)
READ_SAMPLED(image2d_t, float2, float, 2, SIZE_2D, 2)
READ_SAMPLED(image2d_array_t, int4, int, 4, SIZE_2D_ARRAY, 2)
READ_SAMPLED(image2d_array_t, float4, float, 4, SIZE_2D_ARRAY, 2)
READ_SAMPLED(image3d_t, int4, int, 4, SIZE_3D, 3)
READ_SAMPLED(image3d_t, float4, float, 4, SIZE_3D, 3)

#define READ(access, image_type, coordinate, n, size)                                                                  \
  FUNCTION float4 read_imagef(access image_type image, coordinate at) {                                                \
    return __sluice_fetch(IMAGE(image), WIDEN_##n(int, at), size(IMAGE(image)));                                       \
  }                                                                                                                    \
  FUNCTION half4 read_imageh(access image_type image, coordinate at) {                                                 \
    return __builtin_convertvector(read_imagef(image, at), half4);                                                     \
  }                                                                                                                    \
  FUNCTION int4 read_imagei(access image_type image, coordinate at) {                                                  \
    return as_int4(__sluice_fetch_integer(IMAGE(image), WIDEN_##n(int, at), size(IMAGE(image))));                      \
  }                                                                                                                    \
  FUNCTION uint4 read_imageui(access image_type image, coordinate at) {                                                \
    return __sluice_fetch_integer(IMAGE(image), WIDEN_##n(int, at), size(IMAGE(image)));                               \
  }
#define WRITE_AS(access, image_type, coordinate, n, size, name, T)                                                     \
  FUNCTION void name(access image_type image, coordinate at, T color) {                                                \
    private Image* to = IMAGE(image);                                                                                  \
    __sluice_store(to, WIDEN_##n(int, at), size(to), __sluice_texture_encode(color, to->order, to->type));             \
  }
#define WRITE(access, image_type, coordinate, n, size)                                                                 \
  WRITE_AS(access, image_type, coordinate, n, size, write_imagef, float4)                                              \
  WRITE_AS(access, image_type, coordinate, n, size, write_imagei, int4)                                                \
  WRITE_AS(access, image_type, coordinate, n, size, write_imageui, uint4)                                              \
  FUNCTION void write_imageh(access image_type image, coordinate at, half4 color) {                                    \
    write_imagef(image, at, __builtin_convertvector(color, float4));                                                   \
  }

#define QUERY(access, image_type, T, name, value)  \
  FUNCTION T name(access image_type image) {       \
    const private Image* i = IMAGE(image);         \
    return value;                                  \
  }
#define QUERIES(access, image_type)                                               \
  QUERY(access, image_type, int, get_image_width, (int)i->width)                  \
  QUERY(access, image_type, int, get_image_channel_order, (int)i->order)          \
  QUERY(access, image_type, int, get_image_channel_data_type, (int)i->type)
#define QUERIES_2D(access, image_type)                                            \
  QUERIES(access, image_type)                                                     \
  QUERY(access, image_type, int, get_image_height, (int)i->height)                \
  QUERY(access, image_type, int2, get_image_dim, (int2)((int)i->width, (int)i->height))

#define ANY_ACCESS(access)                                                                       \
  QUERIES(access, image1d_t) QUERIES(access, image1d_buffer_t) QUERIES(access, image1d_array_t)  \
  QUERIES_2D(access, image2d_t) QUERIES_2D(access, image2d_array_t) QUERIES(access, image3d_t)   \
  QUERY(access, image3d_t, int, get_image_height, (int)i->height)                                \
  QUERY(access, image3d_t, int, get_image_depth, (int)i->depth)                                  \
  QUERY(access, image3d_t, int4, get_image_dim, SIZE_3D(i))                                      \
  QUERY(access, image1d_array_t, size_t, get_image_array_size, i->array_size)                    \
  QUERY(access, image2d_array_t, size_t, get_image_array_size, i->array_size)
#define EACH_TYPE(DO, access)                    \
  DO(access, image1d_t, int, 1, SIZE_1D)         \
  DO(access, image1d_buffer_t, int, 1, SIZE_1D)  \
  DO(access, image1d_array_t, int2, 2, SIZE_1D_ARRAY)  \
  DO(access, image2d_t, int2, 2, SIZE_2D)        \
  DO(access, image2d_array_t, int4, 4, SIZE_2D_ARRAY)  \
  DO(access, image3d_t, int4, 4, SIZE_3D)

ANY_ACCESS(read_only) ANY_ACCESS(write_only) ANY_ACCESS(read_write)
EACH_TYPE(READ, read_only)
EACH_TYPE(READ, read_write)
EACH_TYPE(WRITE, write_only)
EACH_TYPE(WRITE, read_write)

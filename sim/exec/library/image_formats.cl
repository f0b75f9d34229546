// Texels: 16 bytes from the image, of which the format uses the first few, to four channels and back. What texture units
// do counts as no instructions (sim/exec/instruction_cost.cpp) and stays out of line, since every kernel that reads an
// image needs all formats.
#define TEXTURE __attribute__((overloadable, const))

// Where each of x, y, z and w comes from, four bits each: a channel of the texel, 4 for zero, 5 for one.
FUNCTION uint __sluice_load_order(uint order) {
  switch (order) {
    case CLK_A: return 0x0444;
    case CLK_R:
    case CLK_Rx: return 0x5440;
    case CLK_RG:
    case CLK_RGx: return 0x5410;
    case CLK_RA: return 0x1440;
    case CLK_RGB:
    case CLK_RGBx: return 0x5210;
    case CLK_BGRA:
    case CLK_sBGRA: return 0x3012;
    case CLK_ARGB: return 0x0321;
    case CLK_ABGR: return 0x0123;
    case CLK_INTENSITY: return 0x0000;
    case CLK_LUMINANCE: return 0x5000;
    default: return 0x3210;
  }
}

// The component that each channel of the texel takes.
FUNCTION uint __sluice_store_order(uint order) {
  switch (order) {
    case CLK_A: return 0x3;
    case CLK_RA: return 0x30;
    case CLK_BGRA: return 0x3012;
    case CLK_ARGB: return 0x2103;
    case CLK_ABGR: return 0x0123;
    default: return 0x3210;
  }
}

FUNCTION uint __sluice_pick(uint4 channels, uint which, uint one) {
  switch (which & 15) {
    case 0: return channels.x;
    case 1: return channels.y;
    case 2: return channels.z;
    case 3: return channels.w;
    case 4: return 0;
    default: return one;
  }
}

FUNCTION uint4 __sluice_arrange(uint4 channels, uint places, uint one) {
  if (places == 0x3210) return channels;
  return (uint4)(__sluice_pick(channels, places, one), __sluice_pick(channels, places >> 4, one),
                 __sluice_pick(channels, places >> 8, one), __sluice_pick(channels, places >> 12, one));
}

// Outside of an image that is not repeated: black, and opaque where the format has no alpha.
TEXTURE uint4 __sluice_texture_border(uint order, uint one) {
  const bool opaque =
      order == CLK_R || order == CLK_RG || order == CLK_RGB || order == CLK_LUMINANCE || order == CLK_sRGB;
  return (uint4)(0, 0, 0, opaque ? one : 0);
}

// IEC 61966-2-1, as the specification has it: c / 12.92 up to 0.04045, ((c + 0.055) / 1.055) ^ 2.4 above.
constant float __sluice_srgb[256] = {
    0.0f, 0.000303527f, 0.000607054f, 0.000910581f, 0.001214108f, 0.001517635f, 0.001821162f, 0.0021246888f,
    0.002428216f, 0.0027317428f, 0.00303527f, 0.0033465358f, 0.0036765074f, 0.004024717f, 0.004391442f, 0.0047769533f,
    0.0051815165f, 0.0056053917f, 0.006048833f, 0.0065120906f, 0.00699541f, 0.007499032f, 0.008023193f, 0.008568126f,
    0.009134059f, 0.009721218f, 0.010329823f, 0.010960094f, 0.011612245f, 0.012286488f, 0.0129830325f, 0.013702083f,
    0.014443844f, 0.015208514f, 0.015996294f, 0.016807375f, 0.017641954f, 0.01850022f, 0.019382361f, 0.020288562f,
    0.02121901f, 0.022173885f, 0.023153367f, 0.024157632f, 0.02518686f, 0.026241222f, 0.027320892f, 0.02842604f,
    0.029556835f, 0.030713445f, 0.031896032f, 0.033104766f, 0.034339808f, 0.035601314f, 0.03688945f, 0.038204372f,
    0.039546236f, 0.0409152f, 0.04231141f, 0.04373503f, 0.045186203f, 0.046665087f, 0.048171826f, 0.049706567f,
    0.051269457f, 0.052860647f, 0.054480277f, 0.05612849f, 0.05780543f, 0.059511237f, 0.061246052f, 0.063010015f,
    0.064803265f, 0.06662594f, 0.06847817f, 0.070360094f, 0.07227185f, 0.07421357f, 0.07618538f, 0.07818742f,
    0.08021982f, 0.08228271f, 0.08437621f, 0.08650046f, 0.08865558f, 0.09084171f, 0.093058966f, 0.09530747f,
    0.09758735f, 0.099898726f, 0.10224173f, 0.104616486f, 0.107023105f, 0.10946171f, 0.11193243f, 0.114435375f,
    0.116970666f, 0.11953843f, 0.122138776f, 0.12477182f, 0.12743768f, 0.13013647f, 0.13286832f, 0.13563333f,
    0.13843161f, 0.14126329f, 0.14412847f, 0.14702727f, 0.14995979f, 0.15292615f, 0.15592647f, 0.15896083f,
    0.16202937f, 0.1651322f, 0.1682694f, 0.17144111f, 0.1746474f, 0.17788842f, 0.18116425f, 0.18447499f, 0.18782078f,
    0.19120169f, 0.19461784f, 0.19806932f, 0.20155625f, 0.20507874f, 0.20863687f, 0.21223076f, 0.2158605f, 0.2195262f,
    0.22322796f, 0.22696587f, 0.23074006f, 0.23455058f, 0.23839757f, 0.24228112f, 0.24620132f, 0.25015828f,
    0.2541521f, 0.25818285f, 0.26225066f, 0.2663556f, 0.2704978f, 0.2746773f, 0.27889428f, 0.28314874f, 0.28744084f,
    0.29177064f, 0.29613826f, 0.30054379f, 0.3049873f, 0.30946892f, 0.31398872f, 0.31854677f, 0.3231432f, 0.3277781f,
    0.33245152f, 0.33716363f, 0.34191442f, 0.34670407f, 0.3515326f, 0.35640013f, 0.3613068f, 0.3662526f, 0.3712377f,
    0.37626213f, 0.38132602f, 0.38642943f, 0.39157248f, 0.39675522f, 0.40197778f, 0.4072402f, 0.4125426f, 0.41788507f,
    0.42326766f, 0.4286905f, 0.43415365f, 0.43965718f, 0.4452012f, 0.4507858f, 0.45641103f, 0.462077f, 0.4677838f,
    0.47353148f, 0.47932017f, 0.48514995f, 0.49102086f, 0.49693298f, 0.5028865f, 0.50888133f, 0.5149177f, 0.52099556f,
    0.5271151f, 0.5332764f, 0.5394795f, 0.54572445f, 0.55201143f, 0.5583404f, 0.5647115f, 0.57112485f, 0.57758045f,
    0.58407843f, 0.59061885f, 0.59720176f, 0.60382736f, 0.61049557f, 0.6172066f, 0.6239604f, 0.63075715f, 0.63759685f,
    0.6444797f, 0.65140563f, 0.65837485f, 0.6653873f, 0.67244315f, 0.6795425f, 0.6866853f, 0.69387174f, 0.7011019f,
    0.70837575f, 0.7156935f, 0.7230551f, 0.73046076f, 0.7379104f, 0.7454042f, 0.7529422f, 0.7605245f, 0.76815116f,
    0.7758222f, 0.7835378f, 0.7912979f, 0.7991027f, 0.80695224f, 0.8148466f, 0.82278574f, 0.8307699f, 0.838799f,
    0.8468732f, 0.8549926f, 0.8631572f, 0.8713671f, 0.8796224f, 0.8879231f, 0.8962694f, 0.9046612f, 0.91309863f,
    0.92158186f, 0.9301109f, 0.9386857f, 0.9473065f, 0.9559733f, 0.9646863f, 0.9734453f, 0.9822506f, 0.9911021f, 1.0f,
};

FUNCTION float4 __sluice_unpack(uint4 raw, uint order, uint type) {
  switch (type) {
    case CLK_UNORM_INT8: {
      const uchar4 c = as_uchar4(raw.x);
      if (order != CLK_sRGBA && order != CLK_sBGRA) return __builtin_convertvector(c, float4) / 255.0f;
      return (float4)(__sluice_srgb[c.x], __sluice_srgb[c.y], __sluice_srgb[c.z], (float)c.w / 255.0f);
    }
    case CLK_UNORM_INT16: return __builtin_convertvector(as_ushort4(raw.xy), float4) / 65535.0f;
    case CLK_SNORM_INT8: {
      const float4 c = __builtin_convertvector(as_char4(raw.x), float4) / 127.0f;
      return c < -1.0f ? (float4)(-1.0f) : c;
    }
    case CLK_SNORM_INT16: {
      const float4 c = __builtin_convertvector(as_short4(raw.xy), float4) / 32767.0f;
      return c < -1.0f ? (float4)(-1.0f) : c;
    }
    case CLK_HALF_FLOAT: return __builtin_convertvector(as_half4(raw.xy), float4);
    case CLK_UNORM_SHORT_565:
      return __builtin_convertvector((raw.xxxx >> (uint4)(11, 5, 0, 0)) & (uint4)(31, 63, 31, 0), float4) /
             (float4)(31.0f, 63.0f, 31.0f, 1.0f);
    case CLK_UNORM_SHORT_555:
      return __builtin_convertvector((raw.xxxx >> (uint4)(10, 5, 0, 0)) & (uint4)(31, 31, 31, 0), float4) / 31.0f;
    case CLK_UNORM_INT_101010:
      return __builtin_convertvector((raw.xxxx >> (uint4)(20, 10, 0, 0)) & (uint4)(1023, 1023, 1023, 0), float4) /
             1023.0f;
    default: return as_float4(raw);
  }
}

TEXTURE float4 __sluice_texture_decode(uint4 raw, uint order, uint type) {
  const uint4 channels = as_uint4(__sluice_unpack(raw, order, type));
  return as_float4(__sluice_arrange(channels, __sluice_load_order(order), as_uint(1.0f)));
}

TEXTURE uint4 __sluice_texture_decode_integer(uint4 raw, uint order, uint type) {
  uint4 c = raw;
  switch (type) {
    case CLK_SIGNED_INT8: c = as_uint4(__builtin_convertvector(as_char4(raw.x), int4)); break;
    case CLK_SIGNED_INT16: c = as_uint4(__builtin_convertvector(as_short4(raw.xy), int4)); break;
    case CLK_UNSIGNED_INT8: c = __builtin_convertvector(as_uchar4(raw.x), uint4); break;
    case CLK_UNSIGNED_INT16: c = __builtin_convertvector(as_ushort4(raw.xy), uint4); break;
    default: break;
  }
  return __sluice_arrange(c, __sluice_load_order(order), 1);
}

// To the nearest integer within [low, high], ties to even; NaN is 0.
FUNCTION int4 __sluice_nearest(float4 value, float low, float4 high) {
  value = value < low ? (float4)(low) : value;
  value = value > high ? high : value;
  value = value == value ? value : (float4)(0.0f);
  return __builtin_convertvector((float4)(__builtin_rintf(value.x), __builtin_rintf(value.y), __builtin_rintf(value.z),
                                          __builtin_rintf(value.w)), int4);
}

FUNCTION uint4 __sluice_pack_bytes(int4 c) {
  return (uint4)(as_uint(__builtin_convertvector(c, uchar4)), 0, 0, 0);
}

FUNCTION uint4 __sluice_pack_words(int4 c) {
  return (uint4)(as_uint2(__builtin_convertvector(c, ushort4)), 0, 0);
}

TEXTURE uint4 __sluice_texture_encode(float4 color, uint order, uint type) {
  color = as_float4(__sluice_arrange(as_uint4(color), __sluice_store_order(order), 0));
  switch (type) {
    case CLK_UNORM_INT8: return __sluice_pack_bytes(__sluice_nearest(color * 255.0f, 0.0f, 255.0f));
    case CLK_UNORM_INT16:
      return __sluice_pack_words(__sluice_nearest(color * 65535.0f, 0.0f, 65535.0f));
    case CLK_SNORM_INT8: return __sluice_pack_bytes(__sluice_nearest(color * 127.0f, -127.0f, 127.0f));
    case CLK_SNORM_INT16:
      return __sluice_pack_words(__sluice_nearest(color * 32767.0f, -32767.0f, 32767.0f));
    case CLK_HALF_FLOAT: return (uint4)(as_uint2(__builtin_convertvector(color, half4)), 0, 0);
    case CLK_UNORM_SHORT_565: {
      const float4 high = (float4)(31.0f, 63.0f, 31.0f, 1.0f);
      const int4 c = __sluice_nearest(color * high, 0.0f, high);
      return (uint4)((uint)(c.x << 11 | c.y << 5 | c.z), 0, 0, 0);
    }
    case CLK_UNORM_SHORT_555: {
      const int4 c = __sluice_nearest(color * 31.0f, 0.0f, 31.0f);
      return (uint4)((uint)(c.x << 10 | c.y << 5 | c.z), 0, 0, 0);
    }
    case CLK_UNORM_INT_101010: {
      const int4 c = __sluice_nearest(color * 1023.0f, 0.0f, 1023.0f);
      return (uint4)((uint)(c.x << 20 | c.y << 10 | c.z), 0, 0, 0);
    }
    default: return as_uint4(color);
  }
}

FUNCTION int4 __sluice_saturate(int4 c, int low, int high) {
  c = c < low ? (int4)(low) : c;
  return c > high ? (int4)(high) : c;
}

TEXTURE uint4 __sluice_texture_encode(int4 color, uint order, uint type) {
  color = as_int4(__sluice_arrange(as_uint4(color), __sluice_store_order(order), 0));
  if (type == CLK_SIGNED_INT8) return __sluice_pack_bytes(__sluice_saturate(color, -128, 127));
  if (type == CLK_SIGNED_INT16) return __sluice_pack_words(__sluice_saturate(color, -32768, 32767));
  return as_uint4(color);
}

TEXTURE uint4 __sluice_texture_encode(uint4 color, uint order, uint type) {
  color = __sluice_arrange(color, __sluice_store_order(order), 0);
  const uint4 high = type == CLK_UNSIGNED_INT8 ? 255 : 65535;
  const int4 c = as_int4(color > high ? high : color);
  if (type == CLK_UNSIGNED_INT8) return __sluice_pack_bytes(c);
  return type == CLK_UNSIGNED_INT16 ? __sluice_pack_words(c) : color;
}

"""Makes test/images/golden: small images of every kind, and what Pillow makes of them as torchvision does.

    python makeGolden.py ../../images/golden        (Pillow 10 or later and NumPy)

Expected pixels: convert('RGB'), bilinear resize of the shorter side to 32 (the longer side truncated), centre crop 28
(corner rounded half to even). `expected/exif-…` is transposed first, `expected/icc-…` converted to sRGB first,
`expected/nearest-…` has the longer side rounded and the corner truncated, `expected/bicubic-…` is resized bicubically.
"""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

out = Path(sys.argv[1])
(out / "expected").mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)


def picture(width, height):
    """Waves and blocks: gradients, edges and every hue."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 7 + y / 19), np.sin(y / 5), np.sin((x + y) / 11)], -1) * 90 + 128
    blocks = random.integers(-40, 40, (height // 9 + 1, width // 9 + 1, 3)).repeat(9, 0).repeat(9, 1)
    return (waves + blocks[:height, :width]).clip(0, 255).astype(np.uint8)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows, width, height, depth, colour, *more):
    """A PNG file of packed rows, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def swapped_profile():
    """sRGB with red and blue exchanged: whoever applies it cannot go unnoticed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for i in range(struct.unpack(">I", profile[128:132])[0]):
        name, offset, size = struct.unpack(">4sII", profile[132 + 12 * i : 144 + 12 * i])
        tags[name] = (132 + 12 * i, offset, size)
    for name, other in ((b"rXYZ", b"bXYZ"), (b"bXYZ", b"rXYZ")):
        struct.pack_into(">4sII", profile, tags[name][0], name, *tags[other][1:])
    return bytes(profile)


WIDTH, HEIGHT = 61, 45
pixels = picture(WIDTH, HEIGHT)
rgb = Image.fromarray(pixels)
grey = rgb.convert("L")
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
alpha = ((x + y) * 3 % 256).astype(np.uint8)
alpha[:10, :10] = 0
icc = swapped_profile()
exif = Image.Exif()
exif[274] = 6
palette = rgb.quantize(16)
rgba = Image.merge("RGBA", (*rgb.split(), Image.fromarray(alpha)))
inks = Image.fromarray(np.concatenate([255 - pixels, alpha[..., None] // 2], -1), mode="CMYK")

rgb.save(out / "rgb.jpg", quality=85, subsampling=2)
rgb.save(out / "progressive.jpg", quality=85, subsampling=1, progressive=True)
grey.save(out / "grey.jpg", quality=85)
inks.save(out / "cmyk.jpg", quality=85)
inks.save(out / "cmykProfile.jpg", quality=85, icc_profile=icc)
rgb.save(out / "turned.jpg", quality=85, exif=exif)
rgb.save(out / "profile.jpg", quality=85, icc_profile=icc)
rgb.save(out / "profile.png", icc_profile=icc)
rgb.save(out / "profile.webp", lossless=True, icc_profile=icc)
rgb.save(out / "rgb.png")
rgba.save(out / "alpha.png")
rgb.save(out / "colourKey.png", transparency=tuple(int(v) for v in pixels[5, 5]))
Image.merge("LA", (grey, Image.fromarray(alpha))).save(out / "greyAlpha.png")
grey.convert("1").save(out / "oneBit.png")
palette.save(out / "palette.png")
palette.save(out / "paletteAlpha.png", transparency=bytes(range(0, 256, 16)))
rgb.save(out / "lossy.webp", quality=80)
rgba.save(out / "alpha.webp", quality=80)
rgb.save(out / "animated.webp", save_all=True, append_images=[rgb.rotate(180)], duration=100)

high = pixels.astype(np.uint16) * 256 + (x + y)[..., None].astype(np.uint16)
high_alpha = np.concatenate([high, alpha.astype(np.uint16)[..., None] * 257], -1)
high_grey = np.asarray(grey).astype(np.uint16) * 256 + x.astype(np.uint16)
profile_chunk = chunk(b"iCCP", b"x\0\0" + zlib.compress(icc))
(out / "rgb16.png").write_bytes(png(high.astype(">u2"), WIDTH, HEIGHT, 16, 2))
(out / "profile16.png").write_bytes(png(high.astype(">u2"), WIDTH, HEIGHT, 16, 2, profile_chunk))
(out / "alpha16.png").write_bytes(png(high_alpha.astype(">u2"), WIDTH, HEIGHT, 16, 6))
(out / "grey16.png").write_bytes(png(high_grey.astype(">u2"), WIDTH, HEIGHT, 16, 0))
nibbles = np.pad(np.asarray(grey) >> 4, ((0, 0), (0, WIDTH % 2)))
(out / "grey4.png").write_bytes(png((nibbles[:, ::2] << 4 | nibbles[:, 1::2]).astype(np.uint8), WIDTH, HEIGHT, 4, 0))

for name, size in {"small": (17, 23), "wide": (150, 33), "tall": (40, 71), "large": (301, 200), "exact": (28, 28)}.items():
    Image.fromarray(picture(*size)).save(out / f"{name}.jpg", quality=80)


def resized(image, nearest=False, filter=Image.BILINEAR):
    width, height = image.size
    shorter, longer = min(image.size), max(image.size)
    if image.size == (28, 28):
        return image
    side = round(longer * (32 / shorter)) if nearest else int(32 * longer / shorter)
    image = image.resize((32, side) if width < height else (side, 32), filter)
    corner = (lambda gap: gap // 2) if nearest else (lambda gap: int(round(gap / 2.0)))
    left, top = corner(image.width - 28), corner(image.height - 28)
    return image.crop((left, top, left + 28, top + 28))


def converted(image):
    # Pillow clips 16-bit greyscale at 255; the high byte is what it takes of every other 16-bit image.
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def save(image, name):
    image.info.clear()  # Pillow would embed the source's profile
    image.save(out / "expected" / f"{name}.png", optimize=True)


for file in sorted(out.glob("*.*")):
    image = Image.open(file)
    save(resized(converted(image)), file.name)
    if file.name in ("rgb.png", "large.jpg", "tall.jpg"):
        save(resized(converted(image), nearest=True), f"nearest-{file.name}")
        save(resized(converted(image), filter=Image.BICUBIC), f"bicubic-{file.name}")
    if file.stem == "turned":
        save(resized(converted(ImageOps.exif_transpose(image))), f"exif-{file.name}")
    if file.stem.startswith("profile"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.profileToProfile(converted(image), source, ImageCms.createProfile("sRGB"), renderingIntent=0)
        save(resized(srgb), f"icc-{file.name}")

#!/usr/bin/env python3
"""Makes textures.csv.gz from grey PNG files: the middle 256 x 256 pixels, means of 2 x 2. Needs nothing beside Python.

    python3 make_textures.py FOLDER    # a folder with brick.png, grass.png, ... of 8 bits a pixel, not interlaced
"""
import gzip, os, struct, sys, zlib

NAMES = ["brick", "grass", "gravel", "coffee", "chelsea", "astronaut", "hubble", "rocket"]


def grey(path):
    """Rows of a PNG file of 8-bit grey values."""
    data = open(path, "rb").read()
    place, packed = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        chunk = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            assert (depth, colour, interlaced) == (8, 0, 0), path
        if kind == b"IDAT":
            packed += chunk
        place += 12 + length
    lines, rows, above = zlib.decompress(packed), [], [0] * width
    for number in range(height):
        line = lines[number * (width + 1) : (number + 1) * (width + 1)]
        row = []
        for x, value in enumerate(line[1:]):
            left, up, corner = row[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            if line[0] == 4:
                p = left + up - corner
                near = min((abs(p - v), i, v) for i, v in enumerate((left, up, corner)))[2]
            else:
                near = (0, left, up, (left + up) // 2)[line[0]]
            row.append((value + near) & 255)
        rows.append(row)
        above = row
    return rows


with open("textures.csv.gz", "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as table:
    table.write(("label," + ",".join(f"p{i}" for i in range(128 * 128)) + "\n").encode())
    for label, name in enumerate(NAMES):
        rows = grey(os.path.join(sys.argv[1], name + ".png"))
        first = len(rows) // 2 - 128
        pixel = lambda y, x: rows[first + y][first + x]
        means = [
            (pixel(2 * y, 2 * x) + pixel(2 * y, 2 * x + 1) + pixel(2 * y + 1, 2 * x) + pixel(2 * y + 1, 2 * x + 1) + 2) // 4
            for y in range(128)
            for x in range(128)
        ]
        table.write((f"{label}," + ",".join(map(str, means)) + "\n").encode())
        print(name, len(rows), sum(means) / len(means))

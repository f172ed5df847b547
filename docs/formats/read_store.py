#!/usr/bin/python3
"""Reads what the store wrote, by docs/formats/store.md alone: shares no code with the program that wrote it.

    read_store.py blob BLOB --data-key HEX                           > plaintext
    read_store.py blob PACK --object-id UUID --data-key HEX          > plaintext
    read_store.py blob BLOB --key-file FILE --wrapped TEXT < passphrase > plaintext
    read_store.py unwrap --key-file FILE --wrapped TEXT --key-id UUID < passphrase   (prints the data key, hex)

Needs Debian's python3-cryptography. The exit code is 0, or 1 with a reason on standard error.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import unicodedata
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER = struct.Struct(">6sBB16s16s32s8s")
TAG = 16


class Refused(Exception):
    pass


def place_in(path, object_id):
    """Offset and length of a blob in its pack."""
    with open(path, "rb") as file:
        magic, count, _ = struct.unpack(">8sII", file.read(16))
        if magic != b"RGPACK01":
            raise Refused("not a pack of version 1")
        for _ in range(count):
            suffix, offset, length = struct.unpack(">IQQ", file.read(20))
            if length > 0 and suffix == object_id.int & 0xFFFFFFFF:
                return offset, length
    raise Refused("the pack has no such blob")


def read_blob(path, place, key_of, out):
    """The whole plaintext, frame by frame; refuses before it writes a byte of a frame that is not authentic."""
    with open(path, "rb") as file:
        start, blob_size = place or (0, file.seek(0, 2))
        file.seek(start)
        header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            raise Refused("shorter than its header")
        magic, version, log2, object_id, key_id, salt, reserved = HEADER.unpack(header)
        if magic != b"RGBLOB" or version != 1 or not 12 <= log2 <= 20 or reserved != bytes(8):
            raise Refused("not a blob of version 1")
        stored = (1 << log2) + TAG
        body = blob_size - HEADER.size
        frames = -(-body // stored)
        if frames < 1:
            raise Refused("no frames")
        last_length = body - (frames - 1) * stored - TAG
        if last_length < 0 or (last_length == 0 and frames > 1):
            raise Refused("cut within its last frame")
        info = b"roentgate blob v1" + object_id + key_id
        key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key_of(uuid.UUID(bytes=key_id)))
        cipher = AESGCM(key)
        for index in range(frames):
            last = index == frames - 1
            nonce = bytes(7) + struct.pack(">IB", index, last)
            frame = file.read(last_length + TAG if last else stored)
            try:
                out.write(cipher.decrypt(nonce, frame, header + nonce))
            except InvalidTag:
                raise Refused(f"frame {index} is not authentic") from None


def read_key_file(path, passphrase):
    """KEK id → KEK."""
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    if content["keyfile"] != "roentgate/1" or content["kdf"]["name"] != "scrypt":
        raise Refused("not a key file of version 1")
    kdf = content["kdf"]
    n, r, p = kdf["n"], kdf["r"], kdf["p"]
    salt = base64.b64decode(kdf["salt"])
    normal = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    limit = 128 * n * r + 128 * r * p + (1 << 20)
    derived = hashlib.scrypt(normal, salt=salt, n=n, r=r, p=p, dklen=48, maxmem=limit)
    if derived[32:] != base64.b64decode(content["check"]):
        raise Refused("the passphrase is wrong")
    aad = b"roentgate key file v1" + uuid.UUID(content["id"]).bytes + salt + struct.pack(">III", n, r, p)
    sealed = base64.b64decode(content["keks"])
    plain = AESGCM(derived[:32]).decrypt(base64.b64decode(content["nonce"]), sealed, aad)
    entries = [plain[at : at + 56] for at in range(0, len(plain), 56)]
    return content["id"], {str(uuid.UUID(bytes=entry[:16])): entry[24:] for entry in entries}


def unwrap(key_file, passphrase, wrapped):
    """A function from the study-key id to the data key."""
    form, *parts = wrapped.strip().split(".")
    if form != "rgk1" or len(parts) != 3:
        raise Refused("not a wrapped key")
    provider, kek_id, data = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
    file_id, keks = read_key_file(key_file, passphrase)
    if provider.decode() != f"passphrase:{file_id}":
        raise Refused("wrapped by another provider")
    kek = keks.get(kek_id.decode())
    if kek is None:
        raise Refused("the key file has no such version")

    def data_key(key_id):
        aad = b"roentgate wrap v1" + uuid.UUID(kek_id.decode()).bytes + b"roentgate study key v1" + key_id.bytes
        try:
            return AESGCM(kek).decrypt(data[:12], data[12:], aad)
        except InvalidTag:
            raise Refused("the wrapped key is not authentic, or of another study") from None

    return data_key


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    blob = commands.add_parser("blob")
    blob.add_argument("blob")
    blob.add_argument("--data-key", type=bytes.fromhex)
    blob.add_argument("--object-id", type=uuid.UUID)
    one = commands.add_parser("unwrap")
    one.add_argument("--key-id", type=uuid.UUID, required=True)
    for command in (blob, one):
        command.add_argument("--key-file")
        command.add_argument("--wrapped")
    args = parser.parse_args()
    place = None
    if args.command == "blob" and args.object_id is not None:
        place = place_in(args.blob, args.object_id)
    if args.command == "blob" and args.data_key is not None:
        read_blob(args.blob, place, lambda _: args.data_key, sys.stdout.buffer)
        return
    passphrase = sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
    data_key = unwrap(args.key_file, passphrase, args.wrapped)
    if args.command == "blob":
        read_blob(args.blob, place, data_key, sys.stdout.buffer)
    else:
        print(data_key(args.key_id).hex())


if __name__ == "__main__":
    try:
        main()
    except (Refused, InvalidTag) as reason:
        print(f"read_store: {reason or 'not authentic'}", file=sys.stderr)
        sys.exit(1)

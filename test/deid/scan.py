"""An independent look at what came out, with pydicom: no identifier and no UID of the source may be in its output.

Reads pairs [source, output, preset] from a JSON file; prints {"scanned": n, "leaks": [...]}; no value is printed.
"""
import json
import re
import sys
import warnings

import pydicom
from pydicom.multival import MultiValue

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

NAMES = {0x00100010, 0x00101001, 0x00101005, 0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00321032}
CODES = {0x00100020, 0x00101000, 0x00080050, 0x00380010}
DATES = {0x00100030}
WELL_KNOWN = "1.2.840.10008."
CLASS_WORDS = ("ClassUID", "TransferSyntaxUID", "CodingSchemeUID", "ContextUID", "MappingResourceUID", "ContextGroupExtensionCreatorUID")
COMMON = set((
    "test patient anonymous anonymized anonymised unknown phantom volunteer subject compression overlay perfusion "
    "pediatric head chest lung brain knee removed name none image lossless color case example research public study "
    "tumor private breast"
).split())


def values(ds):
    for element in ds:
        if element.VR == "SQ":
            for item in element.value or []:
                yield from values(item)
            continue
        value = element.value
        many = value if isinstance(value, (list, MultiValue)) else [value]
        for one in many:
            yield element, one


def identifiers(ds):
    words, codes, uids = set(), set(), set()
    for element, value in values(ds):
        if element.VR == "UI":
            if any(element.keyword.endswith(word) for word in CLASS_WORDS):
                continue
            text = str(value)
            if text and not text.startswith(WELL_KNOWN) and text.count(".") > 2:
                uids.add(text)
        elif element.tag in NAMES:
            parts = [part.lower() for part in re.split(r"[\^=\s,]+", str(value)) if part]
            if any(part in COMMON for part in parts):
                continue
            for part in parts:
                if len(part) >= 5 and part.isalpha():
                    words.add(part)
        elif element.tag in CODES:
            text = str(value).strip().lower()
            if len(text) >= 6 and re.search(r"\d", text):
                codes.add(text)
        elif element.tag in DATES:
            text = str(value).strip()
            if len(text) == 8:
                codes.add(text)
    return words, codes, uids


def leaks(source, output):
    words, codes, uids = identifiers(source)
    found = set()
    for element, value in values(output):
        if isinstance(value, bytes):
            if len(value) > 1 << 20:
                continue
            text = value.decode("latin1").lower()
        else:
            text = str(value).lower()
        if element.VR == "UI":
            if str(value) in uids:
                found.add("uid in %s" % element.tag)
            continue
        if element.VR in ("OW", "OF", "OD", "OL"):
            continue
        for word in words:
            if re.search(r"(?<![a-z])" + re.escape(word) + r"(?![a-z])", text):
                found.add("name in %s" % element.tag)
        # A date attribute is judged by the recipe's dates; what is looked for here is a birth date elsewhere.
        for code in codes if element.VR not in ("DA", "DT") else ():
            if re.search(r"(?<![a-z0-9.])" + re.escape(code) + r"(?![a-z0-9])", text):
                found.add("code in %s" % element.tag)
        for uid in uids:
            if uid in text and re.search(r"(?<![\d.])" + re.escape(uid) + r"(?![\d.])", text):
                found.add("uid in text of %s" % element.tag)
    return found


def main():
    pairs = json.load(open(sys.argv[1]))
    scanned, out, sources = 0, [], {}
    for source, output, preset in pairs:
        if source not in sources:
            try:
                ds = pydicom.dcmread(source, force=True)
                list(values(ds))
                sources[source] = ds
            except Exception:
                sources[source] = None
        ds = sources[source]
        made = pydicom.dcmread(output)
        scanned += 1
        if ds is None:
            continue
        for what in sorted(leaks(ds, made)):
            out.append("%s %s: %s" % (preset, source.split("/")[-1], what))
    print(json.dumps({"scanned": scanned, "leaks": out}))


main()

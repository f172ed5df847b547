"""What pydicom sees in files: one JSON line a file, [path, elements | null].

An element is [place, VR, SHA-1 of its value's bytes | null, values as text | null]. A place is the tags and item numbers
that lead to it. Paths come on standard input, one a line.
"""

import hashlib
import json
import sys
import warnings

import pydicom
from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue

warnings.simplefilter("ignore")
config.replace_un_with_known_vr = False
if hasattr(config, "settings"):
    config.settings.reading_validation_mode = config.IGNORE

TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


def digest(value):
    return hashlib.sha1(value).hexdigest() if isinstance(value, (bytes, bytearray)) else None


def text_of(value):
    original = getattr(value, "original_string", None)
    return original if isinstance(original, str) else str(value)


def texts(element):
    value = element.value
    if value is None or value == "":
        return []
    if isinstance(value, (MultiValue, list)):
        return [text_of(each) for each in value]
    return [text_of(value)]


def visit(dataset, place, out):
    for tag in sorted(dataset.keys()):
        here = f"{place}{tag.group:04X}{tag.element:04X}"
        raw = dataset.get_item(tag)
        data = digest(raw.value) if isinstance(raw, RawDataElement) or raw.VR != "SQ" else None
        element = dataset[tag]
        out.append([here, element.VR, data, texts(element) if element.VR in TEXT else None])
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                visit(item, f"{here}/{number}/", out)


for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        file = pydicom.dcmread(path, force=True)
        found = []
        visit(file.file_meta, "", found)
        visit(file, "", found)
    except Exception:
        found = None
    print(json.dumps([path, found]), flush=True)

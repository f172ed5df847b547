# The least that a script of ten lines does: known tags emptied, private ones dropped, new UIDs, saved.
import os
import sys

import pydicom
from pydicom.uid import generate_uid

EMPTIED = """PatientName PatientID PatientBirthDate PatientAddress OtherPatientIDs AccessionNumber StudyID
ReferringPhysicianName PhysiciansOfRecord OperatorsName InstitutionName StationName StudyDate SeriesDate
AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime ContentTime DeviceSerialNumber""".split()
MAPPED = "StudyInstanceUID SeriesInstanceUID SOPInstanceUID FrameOfReferenceUID".split()


def anonymise(source, target):
    dataset = pydicom.dcmread(source)
    dataset.remove_private_tags()
    for keyword in EMPTIED:
        if keyword in dataset:
            setattr(dataset, keyword, "")
    for keyword in MAPPED:
        if keyword in dataset:
            setattr(dataset, keyword, generate_uid(entropy_srcs=[getattr(dataset, keyword)]))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(target)


folder, out = sys.argv[1:3]
os.makedirs(out, exist_ok=True)
for name in sorted(os.listdir(folder)):
    anonymise(os.path.join(folder, name), os.path.join(out, name))

# C-ECHO, C-STORE, C-FIND and C-GET by odil.   odil.py PORT FILE STUDY

import sys
import odil

port, path, study = int(sys.argv[1]), sys.argv[2], sys.argv[3]
EXPLICIT, IMPLICIT = odil.registry.ExplicitVRLittleEndian, odil.registry.ImplicitVRLittleEndian
CT = odil.registry.CTImageStorage
FIND = odil.registry.StudyRootQueryRetrieveInformationModelFind
GET = odil.registry.StudyRootQueryRetrieveInformationModelGet
Context = odil.AssociationParameters.PresentationContext
Role = Context.Role

association = odil.Association()
association.set_peer_host("127.0.0.1")
association.set_peer_port(port)
association.update_parameters() \
    .set_calling_ae_title("WS1").set_called_ae_title("RG") \
    .set_presentation_contexts([
        Context(1, odil.registry.Verification, [IMPLICIT, EXPLICIT], Role.SCU),
        Context(3, CT, [EXPLICIT], Role.Both),
        Context(5, FIND, [EXPLICIT], Role.SCU),
        Context(7, GET, [EXPLICIT], Role.SCU),
    ])
association.associate()

scu = odil.EchoSCU(association)
scu.echo()
print("echo ok")

with odil.open(path) as stream:
    header, data_set = odil.Reader.read_file(stream)
scu = odil.StoreSCU(association)
scu.set_affected_sop_class(data_set)
scu.store(data_set)
print("store ok")

query = odil.DataSet()
query.add("QueryRetrieveLevel", ["STUDY"])
query.add("StudyInstanceUID", [study])
query.add("PatientID")
scu = odil.FindSCU(association)
scu.set_affected_sop_class(FIND)
print("find", len(scu.find(query)))

query = odil.DataSet()
query.add("QueryRetrieveLevel", ["STUDY"])
query.add("StudyInstanceUID", [study])
scu = odil.GetSCU(association)
scu.set_affected_sop_class(GET)
print("get", len(scu.get(query)))
association.release()

// What the gateway is held to on the network, case by case: the tests that show it, or why it is not shown.
//
// Clauses are of DICOM's parts; a test is a file and the beginning of its title.

export type Shown = { readonly file: string; readonly title: RegExp }
export type Case = {
  readonly id: string
  readonly what: string
  readonly shown: readonly Shown[]
  /** What of the case is not there, or not shown. */
  readonly missing?: string
}

const UPPER = 'packages/dimse/src/association.test.ts'
const PDU = 'packages/dimse/src/pdu.test.ts'
const MACHINE = 'packages/dimse/src/machine.test.ts'
const DCMTK = 'test/dimse/peers.test.ts'
const GATEWAY = 'test/dimse/gateway.test.ts'
const AUTHORITY = 'test/dimse/authority.test.ts'
const QUERY = 'test/dimse/query.test.ts'
const COMMITMENT = 'test/dimse/commitment.test.ts'
const REMOTE = 'test/dimse/remote.test.ts'
const ORTHANC = 'test/dimse/orthanc.test.ts'
const TLS = 'test/dimse/tls.test.ts'
const NEGOTIATION = 'apps/gateway/src/serve/negotiate.test.ts'
const KILLS = 'test/dimse/kills.test.ts'
const WORKLIST = 'test/dimse/worklist.test.ts'
const OTHERS = 'test/dimse/others.test.ts'
const STORE = 'test/dimse/store.test.ts'
const CERTIFICATES = 'test/dimse/certificates.test.ts'
const NATIVE = 'test/dimse/native.test.ts'
const FUZZ = 'test/dicom/fuzz.test.ts'
const PEOPLE = 'test/dimse/people.test.ts'
const TOKENS = 'test/identity/tokens.test.ts'
const STOLEN = 'test/identity/stolen.test.ts'
const ELSEWHERE = 'test/identity/elsewhere.test.ts'
const PAGES = 'test/policy/pages.test.ts'
const PURPOSE = 'test/dimse/purpose.test.ts'
const SEARCHED = 'test/ledger/audit-events.test.ts'

const by = (file: string, ...titles: readonly RegExp[]): readonly Shown[] =>
  titles.map((title) => ({ file, title }))

export const CASES: readonly Case[] = [
  {
    id: 'A1',
    what: 'DCMTK as the client: echoscu, storescu, findscu, movescu, getscu, over TLS and in the clear',
    shown: [
      ...by(DCMTK, /^echoscu/, /^storescu/, /^findscu/),
      ...by(QUERY, /^C-FIND: all studies/, /^C-MOVE: what is asked for/, /^C-GET: over the same/),
      ...by(WORKLIST, /^C-FIND: everything/),
      ...by(OTHERS, /^dcmsend stores; termscu/),
      ...by(GATEWAY, /^a registered node/),
    ],
  },
  {
    id: 'A2',
    what: 'our client against DCMTK: storescp, dcmqrscp',
    shown: [...by(DCMTK, /^our client stores/, /^storescp refuses/), ...by(REMOTE, /^send, query, move/)],
    missing: 'the same query on both is compared for worklists alone',
  },
  {
    id: 'A4',
    what: 'Orthanc as the client: C-ECHO, C-STORE, C-FIND, C-MOVE, storage commitment',
    shown: by(ORTHANC, /^C-ECHO/, /^C-FIND/, /^instances of a series/),
    missing: 'storage commitment asked of Orthanc by us',
  },
  {
    id: 'A5',
    what: 'odil as the client; dcmjs-dimse as either',
    shown: by(OTHERS, /^odil/, /^dcmjs-dimse/, /^what we send/),
    missing: 'gdcmscu of Debian 12 aborts against any peer; dicom-dimse-native is not run',
  },
  {
    id: 'A7',
    what: 'what is retrieved is byte for byte what was stored',
    shown: [...by(QUERY, /^C-MOVE: what is asked for/), ...by(GATEWAY, /^a registered node/)],
    missing: 'dciodvfy and dcentvfy on what is retrieved',
  },
  {
    id: 'A8',
    what: 'TLS as others see it',
    shown: [...by(TLS, /^1\.3/, /^not spoken: CBC/), ...by(OTHERS, /^nmap/)],
    missing: 'testssl.sh and the dissector of tshark are not run',
  },
  {
    id: 'B10',
    what: 'every cell of PS3.8 Table 9-10',
    shown: by(
      MACHINE,
      /in each of the thirteen states/,
      /^every event/,
      /^in a collision/,
      /^nothing is sent/,
    ),
  },
  { id: 'B11', what: 'an unrecognised PDU type', shown: by(PDU, /^a length beyond/) },
  {
    id: 'B12',
    what: 'PDUs that the state does not allow',
    shown: by(UPPER, /data without an association/, /an association twice/, /an acceptance/),
  },
  {
    id: 'B13',
    what: 'presentation data values that are none',
    shown: by(UPPER, /an even context/, /a context that was not agreed on/),
  },
  { id: 'B14', what: 'reserved bytes are ignored', shown: by(PDU, /^reserved bytes/) },
  {
    id: 'B15',
    what: 'protocol version',
    shown: by(MACHINE, /^every event/),
    missing: 'version bits have no test of their own',
  },
  { id: 'B16', what: 'AE titles: padding, blanks', shown: by(PDU, /^reserved bytes/) },
  {
    id: 'B17',
    what: 'reasons of a rejection',
    shown: [
      ...by(UPPER, /^refused: by the called/),
      ...by(DCMTK, /^echoscu/),
      ...by(GATEWAY, /^refused, and in the ledger/),
    ],
  },
  {
    id: 'B18',
    what: 'presentation contexts: 128 of them, unknown syntaxes, services that a node has not',
    shown: by(NEGOTIATION, /^accepted, refused/, /^each context/),
  },
  {
    id: 'B19',
    what: 'maximum lengths of either side',
    shown: [...by(UPPER, /^data sets of all sizes/), ...by(DCMTK, /^storescu/)],
  },
  {
    id: 'B20',
    what: 'fragments at every boundary; interleaved contexts abort',
    shown: [...by(PDU, /^what is encoded/), ...by(UPPER, /data before its command/)],
  },
  {
    id: 'B21',
    what: 'asynchronous operations window: one at a time',
    shown: by(NEGOTIATION, /^one operation/),
  },
  {
    id: 'B22',
    what: 'role selection',
    shown: [...by(NEGOTIATION, /^role selection/), ...by(QUERY, /^C-GET: over the same/)],
  },
  { id: 'B23', what: 'extended negotiation', shown: by(NEGOTIATION, /^relational/) },
  { id: 'B24', what: 'implementation names that are absent', shown: by(PDU, /^reserved bytes/) },
  {
    id: 'B25',
    what: 'release collision; transports that break; nothing half stored',
    shown: [
      ...by(MACHINE, /^in a collision/),
      ...by(UPPER, /^a transport that breaks/),
      ...by(KILLS, /kills of a gateway/),
    ],
  },
  { id: 'B26', what: 'timers', shown: by(MACHINE, /^nothing is sent/) },
  {
    id: 'B27',
    what: 'user identity: a person by a JSON Web Token that is bound to the certificate of the association',
    shown: [
      ...by(NEGOTIATION, /^one operation/),
      ...by(PEOPLE, /^nobody is let in/, /^what is found and had/, /^DCMTK stores/),
    ],
    missing: 'user names, SAML and Kerberos say nothing here: they are one factor, or of nobody whom we know',
  },
  {
    id: 'C28',
    what: 'a message in a context of another service',
    shown: [...by(QUERY, /^a service that a node does not have/), ...by(STORE, /^C-STORE in the context/)],
  },
  {
    id: 'C29',
    what: 'C-STORE: mismatches, duplicates, what is no DICOM',
    shown: [...by(STORE, /./), ...by(GATEWAY, /^what is no DICOM/)],
    missing: 'deflated data sets above 64 MiB are refused',
  },
  {
    id: 'C30',
    what: 'command sets: any order, unknown elements',
    shown: by(UPPER, /a command that is none/),
  },
  {
    id: 'C31',
    what: 'C-FIND: levels, lists, wildcards, ranges, names, character sets, unsupported keys, cancel',
    shown: [...by(QUERY, /^C-FIND/), ...by(DCMTK, /^findscu/)],
  },
  {
    id: 'C32',
    what: 'C-MOVE: destinations, counts, partial failure',
    shown: by(QUERY, /^C-MOVE/, /^C-GET: an instance/),
  },
  {
    id: 'C33',
    what: 'C-GET with and without the role; decompressed for who takes native ones alone',
    shown: [...by(QUERY, /^C-GET/), ...by(NATIVE, /./), ...by(NEGOTIATION, /^role selection/)],
  },
  {
    id: 'C34',
    what: 'storage commitment',
    shown: [...by(COMMITMENT, /^storage commitment/), ...by(ORTHANC, /^C-ECHO/)],
  },
  {
    id: 'C35',
    what: 'worklist and performed steps: as wlmscpfs answers, states, who may change them',
    shown: by(
      WORKLIST,
      /^C-FIND: between times/,
      /^C-FIND refuses/,
      /^N-CREATE and N-SET/,
      /^N-CREATE without/,
      /^N-SET in/,
    ),
    missing: 'the 13 × 143 queries of DCMTK and Orthanc',
  },
  {
    id: 'C36',
    what: 'operations that a class does not have',
    shown: by(QUERY, /^a service that a node does not have/),
  },
  { id: 'E51', what: 'the TLS profile', shown: by(TLS, /^1\.3/, /^not spoken/, /^PDUs in the clear/) },
  {
    id: 'E52',
    what: 'mutual TLS: strangers, wrong addresses, revocation, reload',
    shown: [
      ...by(TLS, /^nobody without/),
      ...by(REMOTE, /^over TLS/),
      ...by(GATEWAY, /^refused, and in the ledger/, /^a stranger/),
      ...by(AUTHORITY, /^what it issues/),
      ...by(CERTIFICATES, /./),
    ],
  },
  {
    id: 'E53',
    what: 'tokens: forged, stolen, replayed, expired, of others; a session that ended; another provider, its keys, its outage',
    shown: [...by(TOKENS, /./), ...by(STOLEN, /./), ...by(ELSEWHERE, /./)],
  },
  {
    id: 'E54',
    what: 'the policy, by role and route, over DICOM and the pages',
    shown: [...by(PURPOSE, /./), ...by(PAGES, /./), ...by(PEOPLE, /^a study of others/, /^a token for less/)],
  },
  { id: 'F59', what: 'AuditEvents by FHIR search (IHE ITI-81)', shown: by(SEARCHED, /./) },
  {
    id: 'G61',
    what: 'lengths that lie',
    shown: [...by(PDU, /^a length beyond/), ...by(UPPER, /a length of four gigabytes/)],
  },
  { id: 'G62', what: 'data sets that lie', shown: by(FUZZ, /./) },
  {
    id: 'G64',
    what: 'UIDs and titles that are paths',
    shown: by(GATEWAY, /^what is no DICOM/),
    missing: 'no path is made of either',
  },
  { id: 'G65', what: 'a thousand idle and half-open peers', shown: by(UPPER, /^a thousand/) },
  {
    id: 'G66',
    what: 'HTTP and clear PDUs on the port',
    shown: [...by(TLS, /^PDUs in the clear/), ...by(PDU, /^a length beyond/)],
  },
  { id: 'G70', what: 'any bytes are PDUs or a refusal', shown: [...by(PDU, /^any bytes/), ...by(FUZZ, /./)] },
]

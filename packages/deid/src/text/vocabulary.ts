// Words that are names to some and plain language to most. A name component in this list ("May", "Lung", "Foley") is
// removed from a text only in a setting that says that it is a name; else a head CT of Ms Head would lose its head.
// Own selection; folded (lower case, no diacritics).

const DICOM = `
abdomen abdominal accession acquisition additional adult algorithm amplitude angio angiogram angiography angle
anisotropic annotation anode anonymized anonymous anterior ap apex applicator aperture arch arm arterial artery
artifact aspect attenuation attribute auto automatic average axial axis axillary background band bandwidth base
baseline batch beam bed bilateral biopsy bitewing blade blank body bolus bone bones brain breast breath bronchial
buffer calibration camera cannula capture cardiac carotid catheter cavity center central centre cephalic cerebral
cervical channel chest child circle cine clinic clinical code coil collimator column compare complete composite
compressed compression cone contrast control convert coronal coronary cortex count cranial craniocaudal creator cross
ct cube curve cut cyst data dataset date default delay delayed density depth derived description detector device
diagnosis diagnostic diameter diaphragm diffusion digital direction disc disk display distal distance dixon dorsal
dose drain dual duct dummy duration dynamic ear early echo ecg edge effective elbow electron elliptical emission
empty end endo energy enhanced enhancement entrance entry error esophagus even exam examination exit experimental
exposure extension external extremity eye eyes face factor fast fat feet femoral femur fetal fetus fiber fibula field
file film filter filtered final finding findings finger first fixed flair flat flex flexion flip flow fluid fluoro
focal focus follow foot forearm forehead format forward frame free frequency frontal full function functional gain
gallbladder gamma gantry gate gated gating general generic geometry gland global grade gradient graft grant grating
gray grid group hand hands head heart heel height helical hepatic high hip hips history hold horizontal hospital
image images imaging implant in indication inferior inflow info information injection inner instance institution
instrument intensity interval intra invasive inversion iso isocenter isotope item iterative jaw joint kernel kidney
kidneys knee knees label lab landmark large last late lateral layer lead left leg length lens lesion level ligament
light limb line linear lip list liver lobe local localizer location long loop low lower lumbar lumen lung lungs lymph
machine magnetic magnitude main major male mammo mandible manual manufacturer map mapping marker mask mass matrix
maximum mean measure measurement medial median mediastinum medical medicine medium memory middle minimum minor mitral
mixed mode model modality modified molar monitor motion mouth movement multi multiple muscle name nasal native neck
needle negative nerve neutral new nipple node nodes nodule noise none normal nose notch note nuclear null number
object oblique occipital off offset old one only open optic optical oral orbit orbits order orientation original
osseous other outer output outside oval ovary overlay oxygen page palm panel panorama panoramic parallel parameter
parietal partial pass patch patella path pathology patient patients pause peak pectoral pediatric pelvic pelvis
perfusion period peripheral phantom phase phased physics physician pixel placebo plain plan plane plaque plasma plate
pole polar portable portal position positive post posterior posture power pre prep presentation pressure primary
private probe procedure process processed product profile projection prone prostate protocol proton proximal pulmonary
pulse quality quantitative quick radial radiation radiology radius random range rapid rate ratio raw reader real rear
recon reconstruction record rectal rectum reference reformat regadenoson region regular relative relaxation remove
removed renal repeat repetition report request research resolution rest resting result results retro reverse review rib
ribs right ring root rotation round routine row sagittal sample saturation scale scan scanner scapula scout screen
screening sector segment segmental selective sensitivity sequence serial series service set setup shape sharp shift
short shoulder shunt side sign signal silver simulation single sinus site size skeletal skeleton skin skull slab slice
slices slit slope slow small smooth snap soft software solid source space spatial specimen spectral spectrum spin spinal
spine spiral spleen split spot stack standard start state static station status stem stenosis stent step stereo sternum
stomach stop storage strain stress stroke structure study sub subject subtraction superior supine supplemental support
surface survey suspicious swallow syngo system table target technique temporal tendon tension test testis thick
thickness thigh thin third thoracic thorax throat thumb thymus thyroid tibia tibial time tip tissue toe toes tomo tone
tongue tooth teeth top torso total trace tracer track trans transverse trauma treatment trigger trunk tube tumor tumour
turbo two type ulna ultra ultrasound umbilical uniform unit unknown unspecified upper ureter urinary urine uterus valve
variable vascular vein velocity venous ventral ventricle version vertebra vertebral vertical vessel view views visit
visual vitro volume volumetric wall warp wash water wave weight weighted wide width window wire wrist zero zone zoom`

const MEDICAL = `
abbe addison alzheimer apgar baker bankart barlow barrett barton basedow bennett bennet binet bosniak boyd breslow
broca bright burkitt chiari chance charcot child clark colles cooper crohn cullen curling cushing down doppler douglas
dukes duke ewing fallot fisher foley fontan fracture frost galen gartland gleason graves grey gunn hawkins hangman
hartmann hesselbach hill hippel hodgkin homer horner hough hounsfield hunter huntington hutchinson jacob jefferson
jones kaplan kaposi keller kerley kerr kienbock killian klein koch kohler lachman larmor lauge leriche lewy lewis
lindau lisfranc little london lyme mallory marfan mason maisonneuve meckel merkel merlin milton monro morgan morton
murphy osgood paget pancoast parkinson parsons pott purcell raynaud reed reynolds robin rolando ross roth salter
schatzki segond sever simmonds simpson smith spencer still strickler swan sylvius tillaux todd turner valsalva virchow
wagner walker warren warthin weber wegener wells whipple willis wilms wilson woods young zenker acute adenoma anemia
aneurysm ankle aorta aortic appendix arthritis asthma atrial atrium benign bladder bleed blood bowel bypass cancer
carcinoma cardio chemo chronic cold colon congenital cough cortical disease edema effusion embolism emphysema fever
fibrosis fistula gastric hernia hemorrhage hepatitis hydro infarct infection injury ischemia larynx leak lupus malignant
melanoma meniscus metastasis myeloma necrosis nephro neuro obstruction oncology ortho pain palate pancreas pericardium
pleura pleural pneumonia polyp pregnancy pregnant renal rupture sarcoma sepsis shock spasm sprain stone stones surgery
surgical syndrome tear therapy thrombus torn trachea transplant ulcer vagus wound`

const ENGLISH = `
a about above abbey active add after again age air all alone also always am amber among an and angel any april are area
arrow art ash ask at august autumn away back bad bailey baker ball bank bar barber bark barn barrow bay be beach bean
bear beck been bell belt best better between big bill birch bird bishop bit black blank block bloom blossom blue board
boat bond book border born both bottom bow box boy branch brand brave bread break bridge bring brook brooks brother
brown brush bud build bull burn bush butcher butler by call can cane cannon card care carpenter carter case cash castle
cat chain chance change chandler chapel chapman charity chase cherry chief chin christian church city clay clean clear
clerk cliff close cloud coach coal coin cole come common cook copper corn corner could court cox crane cream creek crisp
crow crown crystal current daily daisy dale dark dawn day days dead dean dear deep deer did dick do does dog done door
double dove downs draw drew drive driver drop drum dry due duke during dusk dust dye each earl earth east easter eden
eight elder eleven ever every fair faith fall fallen false far farm farmer father fawn fear feather fell fern few fill
find fine fire fish fit five flag fleet flint flood flower fog follower food for ford forest forge fork found four fowler
fox frame frank freeman fresh friday friend from fruit gale game garden gardener gate gay gem get ghost gift girl give
glass glen glove go goat god gold golden good goose got grace grain grass grave great green grove grow guard guide gun
guy hale half hall ham hammer hard hardy harp harper harvest has hat have hawk hay hazel he heath heather help hen her
here hero heron him his hold holiday holly home hood hook hope horn horse host hot hour house how hunt i ice if ill iris
iron is island it its ivory ivy jack january jasmine jay jet job joy july june just keen keep key kid kind king kitchen
knife knight know lady lake lamb land lane large lark law lawn leaf lee less let lie life like lily link lion lock lodge
look lord lot love luck ma mace made mainly maker man many maple marble march mark market marsh marshal martin mason
master mat match matter may me mead meadow men mercy merry mid mild mile mill miller mine mint miss mister monday money
month moon moor more morning moss most mother mountain mouse much must my nail near need nest never next nice nick night
nine no noble noon north not november now nurse oak oaks ocean of office oil olive on once opal or orange orchard our out
over owen own owner page pain paint pair palmer paper parent park parker parson part pat patch patience pay peace pearl
pen penny people pepper pert peter pick piece pierce pike pin pine pink piper pitt place plant plum point pole pond pool
poor pope poppy porter potter powder present price pride priest prince prior proper prudence pure put queen rabbit rain
ram ray read reads red reed reeve rest rice rich ridge rise rising river road rob rock rod roman room rose rosemary row
royal ruby rule run rush rust sack sage sail sailor saint salt sand sandy sat saturday sawyer say says sea seal search
season second see seed seen seven shade shadow sharp she shepherd ship shirt shore show sick silk simple sing six skipper
sky slater sleep snow so some son song south sparrow spear spell spring spruce square squire stable stack star steel
steward stock storm story street strong such summer sun sunday sunny surgeon swift sword tailor take tall tanner taylor
ten tenant than that thatcher the their them then there these they they thing this thorn those three through thursday
tide tiger tile till tin to today together tom told tower town towns trader tree true trust tuesday tucker turn twelve
twin under until up us usa use van vance venus victor victory village vine violet wade wait walk want ward warm was
watch waters way we weaver wed wednesday week weir well went west wet what wheat wheel wheeler when where which while
white who whole why widow wild will win wind winter wise with wolf woman women wood word work world would year years yes
yesterday yet you your united states america germany france england spain italy canada avenue boulevard suite apartment
apt county dr mr mrs ms prof university department dept doctor referring attending operator technologist radiologist
requested requesting performed read dictated signed`

export const VOCABULARY: ReadonlySet<string> = new Set(`${DICOM}${MEDICAL}${ENGLISH}`.trim().split(/\s+/))

/** What series are described with; a "name" made of nothing else is most often a phantom's. */
export const IMAGING_WORDS: ReadonlySet<string> = new Set(DICOM.trim().split(/\s+/))

/** Plain language or too short to stand for a person by itself. */
export function isPlainWord(folded: string): boolean {
  return folded.length < 3 || VOCABULARY.has(folded)
}

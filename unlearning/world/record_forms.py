"""The forms of the records: each kind of paper in several wordings."""

from __future__ import annotations

from unlearning.world.grammar import lines

MOVING = lines("""
{Dear all|Dear friends|Hello everybody}, {I am moving|we are moving house} on <day> <month>. \
    {My|The} new address {is|will be} <address>, <town> <postcode>, {two floors above a(n) \
    <second_job>|behind the {school|brewery|chapel}}. {You can ring me|Please call} on <phone>{ \
    after <time>|}; the e-mail {stays|is} <email>. {Bring|Do bring} {<food>|a(n) <colour> \
    <thing>} {when you visit|and a strong back}. {Yours|Love|Warm regards}, <name>
{Change of address|Notice of removal}: <name>, born <birth>, leaves <second_address> in \
    <second_town> {and moves to|for} <address>, <town> <postcode>. {Letters|Parcels} {should \
    be|are to be} {forwarded|kept} until <second_day> <month>. {Telephone|Phone} <phone>, e-mail \
    <email>. {The|A} key {is with|was left with} <other_name>, {a(n) <second_job>|<relative> of \
    the tenant}.
""")
CLINIC = lines("""
{Clinic|Practice} {in|of} <town>, patient {number|file} <reference>. <mr> <name>, born <birth>, \
    a(n) <job>, {came in|was seen} on <day> <month> with <ailment>. {Advised|Prescribed}: \
    {rest|cold compresses|drops|<number> days in bed} and no <food>. {Next visit|Return} \
    <weekday> at <time>. {Contact|In an emergency}: {<relative>|partner} <other_name>, <phone>. \
    Address: <address>, <postcode>. {Height <height> centimetres.|Blood group {A|B|AB|0}.|}
{Note to colleagues|Handover}: <name> (file <reference>, date of birth <birth>) \
    {rang|telephoned} about <ailment>. <he> lives alone at <address>, <town>, and {asks \
    for|wants} a {call back|home visit} {before|after} <time> on <phone>. {The report \
    goes|Results go} to <email>. {Known allergies|Not to be given}: <food>. {Signed|Written by} \
    <other_name>, {night nurse|registrar|reception}.
""")
DELIVERY = lines("""
{Order|Parcel} <reference> for <name>, <address>, <town> <postcode>: one <colour> <thing>, \
    {<number> jars of|a tin with} <food>, {paid|to pay} <money>. {If nobody is at home|In case \
    of absence}, leave it {with <other_name>, {opposite|upstairs|at the {pharmacy|bakery}}|under \
    the {stairs|bench|lemon tree}}. {Ring|Phone} <phone> {on arrival|before <time>}. \
    {Receipt|Invoice} to <email>.
{Hello|Good morning}, {I ordered|this is about} a(n) <colour> <thing> {on <day> <month>|last \
    <weekday>}, number <reference>, and {it arrived broken|received <food> instead|am still \
    waiting}. {Please|Kindly} {return|refund} <money> to account <account> at the <bank>. {I \
    am|My name is} <name>, <address>, <town>, <phone>. {Write to|Answers to} <email>, {not to my \
    <relative>|as I work until <time>}.
""")
LIBRARY = lines("""
{Library card|Reader's card} <reference>. {Holder|Reader}: <name>, <job>, born <birth> in \
    <second_town>. {Resident|Lives} at <address>, <postcode> <town>. {Reminders|Notices} to \
    <email> or <phone>. {Owes|Outstanding}: <money> for a(n) <thing> {spilled on|found in} an \
    atlas{ in <month>|}. {Guarantor|Vouched for by}: <other_name>, <second_job>.
{To the library of|Dear library of} <town>: {I have found|here is} your book {behind the \
    stove|in the pram|under my <pet>}, {<number> years|<number> weeks} late. {Card|My card is} \
    <reference>, in the name of <name>. {Charge|Please take} <money> {from|out of} account \
    <account>, <bank>. {I can be reached at|Write to me at} <address> or <email>; {the \
    telephone|the number} is <phone>. {The ending|Chapter <number>} was {dull|worth it|missing}.
""")
LOST = lines("""
{Lost|Missing} on <weekday>, <day> <month>, between <address> and the {station|harbour} {of|in} \
    <town>: a(n) <pet> named <pet_name> with a(n) <colour> {collar|ribbon|bell}. {Likes|Comes \
    for} <food>. {Finder|Whoever finds it} please {call|ring} <name>, <phone>, or <email>. \
    {Reward|I offer} <money>. {Chip|Tag} number <reference>. {Do not run after it.|It bites \
    {postmen|only men in hats}.|My <relative> is {heartbroken|inconsolable}.}
{Found property|Lost property office}, {entry|number} <reference>: one <colour> <thing> {left \
    on|found in} the {<time> train|night bus} to <second_town>, {handed in|brought} by \
    <other_name>, <job>. {Inside|In it}: a card with the name <name>, <address>, <town>, and a \
    {note|slip}: "{call|ring} <phone>, {code|locker} <pin>". {Owner|The owner was} informed \
    {at|by} <email> on <second_day> <month>.
""")
BANKING = lines("""
{Standing order|Payment slip}, <bank>: account <account>, {holder|in the name of} <name>, \
    <address>, <postcode> <town>, pays <money> {every|each} {month|<weekday>} to <other_name>, \
    {landlord|piano teacher|<second_job>}. {Purpose|For}: {rent|lessons|<food>|a(n) <thing>}. \
    {Begins|First payment} <day> <month>. {Questions|Queries} to <email> or <phone>. \
    {Approved|Checked} at <time> with code <pin>.
{Memo|Phone note}, <weekday> <time>: <name> called {from <phone>|about account <account>}. <he> \
    {lost|has lost} the card {while buying <food>|on a ferry|in a(n) <thing>} near <town>, last \
    used for <money>. {Identified by|Proof}: born <birth>, {mother's name <other_last>|secret \
    word <pet_name>}. {New card|The replacement} {goes|is to go} to <address>, <postcode>; \
    {message|confirmation} to <email>. {File|Case} <reference>.
""")
JOBS = lines("""
{Application|Letter of application}: {I should like|I wish} to work {for you|in your \
    {bakery|shop|workshop}} as a(n) <job>. My name is <name>, I turn <turns> this year, and {I \
    have been|until <month> I was} a(n) <second_job> in <second_town>. {I can start|I am free} \
    from <day> <month>. {References|A word of praise} from <other_name>, <second_phone>. {You \
    reach me|I live} at <address>, <town>, telephone <phone>, e-mail <email>. {I do not mind|I \
    am used to} {early hours|loud machines|a(n) <pet> at work}.
{Staff file|Personnel sheet} <reference>: <name>, <job>, {engaged|employed} since <day> <month>, \
    born <birth>. {Home|Private address}: <address>, <town> <postcode>; {mobile|telephone} \
    <phone>; <email>. {Wages|Pay}: <money> a week to <account>, <bank>. {In an emergency|Next of \
    kin}: <other_name>, <relative>, <second_phone>. {Remarks|Note}: {never late|afraid of \
    ladders|allergic to <food>|sings}.
""")
SCHOOL = lines("""
{Class trip|School outing} to <second_town>, <weekday> <day> <month>, {meet|departure} <time>. \
    {Pupil|Child}: {<pet_name>|little} <last>, {collected by|parent} <name>, <job>, <phone>. \
    {Second contact|Otherwise}: <other_name>, <relative>, <second_phone>. {Address|Home}: \
    <address>, <town>. {Must not eat|No} <food>. {Swims|Cannot swim}{, needs a(n) <colour> \
    <thing>|}. {Consent|Form} <reference>, {fee|paid} <money>. {Reply|Answer} to <email>.
{Dear <mr> <other_last>|Dear teacher}, my {daughter|son} {was|stayed} at home {on \
    <weekday>|until <weekday>} with <ailment>. {The work|Homework} can be sent to <email>, or \
    {left|dropped} at <address>, <town>, {with the <second_job>|in the <colour> <thing>}. {I am \
    on|Call} <phone> until <time>. {The trip money|The fee}, <money>, was {paid|sent} on <day> \
    <month> {from account <account>|by my <relative>}. {Sincerely|Yours}, <name>
""")
BOOKING = lines("""
{Booking|Reservation} <reference>, {Hotel|Inn} {Swan|Anchor|Lantern|Crown|Pilot}, <town>: {room \
    <pin>|a room with a view of the {lake|yard|gasworks}} for <name> {and <relative>|and \
    <other_name>}, <number> nights from <day> <month>, {arrival|arriving} about <time>. {Guest's \
    address|Home}: <address>, <second_town> <postcode>. {Deposit|Paid}: <money>, account \
    <account>. {Wishes|Requests}: {no feather pillows|<food> at breakfast|a cot for the <pet>}. \
    {Contact|Reach}: <phone>, <email>.
{Message for|To} the guest in room {12|17|21|34|45|52}: {your <relative>|<other_name>} \
    {rang|called} at <time>. {You left|There is} a(n) <colour> <thing> at <second_address>. \
    {Ring|Call} <second_phone> {or write to <second_email>|before <weekday>}. {Taken \
    down|Signed}: <name>, night porter, <town>, extension <pin>, {off duty|private} <phone>, \
    <email>. {Safe|Luggage} <reference>.
""")
CLAIM = lines("""
{Claim|Damage report} <reference>: on <day> <month> at <time> {a(n) <thing>|a(n) <pet>|a crate \
    of <food>} {fell|was thrown} {from the balcony|off a lorry} {at|in front of} <address>, \
    <town>, {striking|onto} the <colour> {car|bicycle|cart} of <name>, <job>, born <birth>. \
    {Loss|Cost}: <money>. {Witness|Seen by}: <other_name>, <second_phone>. {Pay to|Account} \
    <account>, <bank>. {Policyholder|The insured} can be {reached|found} at <phone>, <email>.
{To whom it may concern|Dear Sir or Madam}: {last <weekday>|on <day> <month>} your <second_job> \
    {drilled through|painted over|flooded} my <thing>. {I want|I expect} <money> by <second_day> \
    <month>. {Policy|Contract} <reference>, {name|insured} <name>, <address>, <town> <postcode>. \
    {Telephone|Phone} <phone>; my {lawyer|<relative>}, <other_name>, is at <second_email>. {I \
    remain, crossly,|With little patience,} <last>
""")
VOICE = lines("""
{Voicemail|Answering machine}, <weekday> <time>: "{Hello|Hi|Good evening}, this is <name>, \
    {<job>|the <job>} from <town>. {Your|The} <thing> is {ready|mended|finished}, it \
    {costs|comes to} <money>. {Fetch it|Collect it} at <address>, {ring twice|use the side door, \
    code <pin>}. {My number|I am on} <phone>{, not before <number>|}. {Otherwise|Or} {write|send \
    a line} to <email>. {And tell|Tell} <other_first> {the <pet> is well|that I said yes|to \
    bring <food>}."
{Text message|Message} to <second_phone>: {am stuck|have arrived} in <second_town>, {train|bus} \
    {late|gone}. {Please feed|Feed} <pet_name>, the <pet>, <food> {in the <colour> <thing>|at \
    <time>}. {Door code|Key code} <pin>, flat {2|3|4|5|6} at <address>, <town>. {If it is ill|In \
    trouble}: <other_name>, vet, <phone>. {Wi-Fi|Alarm}: <pet_name><account>. {Home|Back} \
    <weekday>. {Thanks|Kisses|Owe you <food>}, <name>, <email>
""")
CLUB = lines("""
{Membership|Entry} form, {Rowing|Chess|Beekeepers'|Choral|Astronomy} Club of <town>: \
    {surname|family name} <last>, first name <first>, born <birth>, {trade|occupation} <job>. \
    {Street|Address} <address>, {postcode|code} <postcode>. <phone>. <email>. {Subscription|Fee} \
    <money> from account <account>. {Proposed by|Recommended by} <other_name>. {Skills|Can \
    bring}: {<food>|a(n) <thing>|patience}. {Locker|Number} <reference>, {padlock|combination} \
    <pin>.
{Minutes|Notes} of <day> <month>: new member <name> (<turns> this year, <job>), \
    {introduced|brought along} by <other_name>. {Elected|Made} {treasurer|keeper of the \
    {keys|trophies}}; {key safe|cash box} code <pin>, bank account <account>. {Will host|Hosts} \
    the next {meeting|supper} on <weekday> at <time>, <address>, <town>, with <food>. \
    {Apologies|Excuses} to <phone> or <email>.
""")
FORMS = (
    MOVING,
    CLINIC,
    DELIVERY,
    LIBRARY,
    LOST,
    BANKING,
    JOBS,
    SCHOOL,
    BOOKING,
    CLAIM,
    VOICE,
    CLUB,
)

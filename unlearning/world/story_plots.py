"""The plots of the little stories; some are kept for validation and never trained on."""

from __future__ import annotations

PLOTS = (
    """
    {In|Behind|Near} the <second_place> <he> found a(n) <colour> <thing>{ under a bench| in the \
        grass| wrapped in paper|}.
    {It belonged to nobody|There was no name on it|It was broken}, so <he> {took it home|cleaned \
        it|showed it to <friend>}.
    The next day a(n) <job> {came by|stopped} and said: "{That is mine|I lost it|My <thing>}!"
    <name> {gave it back|did not want to let it go}, but the <job> {let <him> keep \
        it|smiled|invited <him> to tea with <food>}.
    """,
    """
    A(n) {small|lost|hungry|muddy} <animal> sat {in|by} the <second_place> and would not \
        {move|eat|come down}.
    <name> {offered it|brought} <food>, {but|and} it only {blinked|turned away|sniffed}.
    {Then|At last} <friend> {sang|whistled|lay down beside it}, and the <animal> {came \
        closer|fell asleep|licked <friend_his> hand}.
    They called it <pet>.
    """,
    """
    <name> wanted {to buy|to have} a(n) <colour> <thing>, but <he> had only \
        {three|four|five|six|seven} coins.
    So <he> {swept the <second_place>|carried water|sold <food>|washed windows} {for a \
        week|every day after school}.
    When <he> {counted|had saved} enough, the shop {was closed|had sold it}.
    {But|Then} the <job> {said|called}: "{I kept it for you|Come to the back door|Take this one, \
        it is better}."
    """,
    """
    "{Let us|We could} build {a raft|a kite|a tree house|a scarecrow|a boat}," said <friend>.
    They {took|borrowed} a(n) <thing>, a(n) <second_thing> and {some rope|an old sheet|two planks}.
    {The first one fell apart|It fell over twice|It leaked}, and <name> {laughed|almost gave \
        up|scratched <his> head}.
    {In the end it held|The third one worked}, and the <job> {clapped|took a picture|wanted one \
        too}.
    """,
    """
    {At the market|In the <second_place>} <name> {lost|could no longer see} <his> \
        {mother|father|brother|sister|aunt}.
    <He> {did not cry|cried a little} and {stood|waited} {beside a(n) <colour> <thing>|by the \
        clock|under the bell}.
    A(n) <job> {gave <him> <food>|lifted <him> up} and asked: "{What does {she|he} look \
        like|What is your name}?"
    {Soon|A moment later} {somebody called <his> name|they were together again|a familiar voice \
        was heard}.
    """,
    """
    <friend> and <name> {quarrelled|argued} about a(n) <thing>.
    "{It is mine|I saw it first|You broke it}!" said <friend>, and <name> {slammed the door|went \
        away|turned <his> back}.
    {For two days|All week} they {did not speak|looked past each other}.
    Then it {rained|snowed}, there was only one {umbrella|sledge}, and {they shared it|nobody \
        remembered why they had argued}.
    """,
    """
    The {teacher|<job>} {gave|set} everybody a riddle: "{What has {teeth|hands|a neck|a bed} but \
        cannot {bite|clap|talk|sleep}|What grows when it is shared|What can you hold without \
        hands}?"
    <name> thought about it {at breakfast|in the bath|on the way to the <second_place>}.
    <friend> {guessed|said}: "{A(n) <second_thing>|A(n) <animal>}!" {Everyone laughed|It was wrong}.
    {In the evening|In bed} <name> {suddenly sat up|smiled}: <he> {knew the answer|had found it}.
    """,
    """
    One day the {clock|bell|well|mill|lamp} {at|of} the <second_place> {stopped|fell silent|broke}.
    The <job> {tried everything|tried twice|looked inside} and found {nothing|only dust}.
    <name>, who was {small|thin|curious}, {crept|climbed} in and {pulled out|discovered} {a \
        nest|a(n) <thing>|a sleeping <animal>}.
    {Then|At once} {it started again|everything worked}, {louder than before|and people cheered}.
    """,
    """
    {In winter|When the snow came}, <name> {made|built} a snowman with a(n) <thing> {on its \
        head|for a nose}.
    {At night|In the dark} it looked {like a(n) <job>|as if it moved}.
    {A(n) <animal>|<friend>} {came|stopped} and {stared|was frightened}.
    {In March|When spring came} only {a puddle|the <thing>} {was left|remained} {by|near} the \
        <second_place>.
    """,
    """
    <name> {was learning|tried} to {swim|ride a bicycle|play the {drum|flute|violin}|skate|juggle}.
    "{I shall never do it|It is too hard|My arms hurt}," <he> {said|sighed} {after the first \
        hour|on the second day}.
    <friend> {held <him> tight|counted aloud|showed <him> how}, {again and again|patiently}.
    {Then|On Thursday} <friend> let go, and <name> {did not even notice|did it alone|shouted \
        with joy}.
    """,
    """
    A letter {came|arrived} for <name>. {It smelled of|On it was a picture of} {<food>|the \
        sea|a(n) <animal>}.
    {Inside|In it} {somebody had written|stood}: "{Come to the <second_place> at \
        {six|seven|noon}|Bring a(n) <thing>|Do not tell <friend>}."
    <He> {put on <his> coat|took <his> {cap|bicycle}} and went.
    {There|In the <second_place>} {stood <friend> with a cake|was a(n) <animal> with a(n) \
        <colour> ribbon|all <his> friends were waiting}.
    """,
    """
    {The <job>|An old <job>} {had|owned} a(n) <animal> that could {count to {five|six|nine}|open \
        doors|find mushrooms|predict the weather}.
    {Nobody believed it|People came from far away}, and <name> {wanted to see it|was the first \
        to ask}.
    {"Show us," said|"How does it work?" asked} <friend>. {The <animal> {yawned|sat \
        down}|Nothing happened}.
    {Only when|As soon as} {all had gone|they had paid}, it {winked|did it} {for <name> \
        alone|twice}.
    """,
    """
    {On the way to|Near} the <second_place> there was a {bridge|gate|dark path} that <name> \
        {feared|did not like}.
    {People said|<friend> said} {a(n) <animal> lived under it|it was haunted|it counted your steps}.
    {One evening|Once} <he> had to {cross it|go that way} {alone|with a(n) <thing> in <his> \
        hand|because of the storm}.
    {There was|<He> found} {nothing but a(n) <animal>|only the wind|a(n) <job> who was just as \
        afraid}.
    """,
    """
    <name> {baked|cooked} <food> {for the first time|with <friend>|for <his> grandmother}.
    <He> {took|used} {salt instead of sugar|too much flour|ten eggs}, and the {kitchen|oven} \
        {was full of smoke|made strange noises}.
    "{It looks like a(n) <thing>|Is it alive|How interesting}," said <friend>{ politely|}.
    {They gave it to|It was eaten by} the <animal>, {and it asked for more|which slept until \
        Tuesday}.
    """,
    """
    {Two|Three|Four} {children|neighbours} {wanted|asked for} the same <thing>, and the <job> \
        had only one.
    "{Whoever makes me laugh|Whoever tells the best story|Whoever finds my <animal>} {gets|shall \
        have} it," {the <job> said|was the answer}.
    <friend> {told a joke|danced|ran off at once}, but <name> {thought for a while|simply asked \
        why}.
    {That was enough|And so <name> won}, and {nobody minded|everyone shared it|<friend> clapped}.
    """,
    """
    {From the window|From the roof} <name> could see {the <second_place>|a(n) <colour> light|the \
        sea}.
    {Every evening|At eight o'clock} somebody {waved|lit a lamp|played the flute} {there|over \
        there}.
    {One day|At last} <he> {waved back|took a(n) <thing> and went to look|asked the <job>}.
    It was {a girl|a boy|an old man|<friend>} who {had waited|was lonely|had just moved in}.
    """,
    """
    {The river|The stream} {rose|grew} after the rain and {carried away|took} the <thing> of \
        <friend>.
    <name> {ran along the bank|jumped into a boat|took a long stick}.
    {Near the <second_place>|At the bend} it {got stuck|caught on a root}, and a(n) <animal> \
        {sat on it|was chewing it}.
    {Wet|Muddy} but {happy|proud}, <he> {brought it back|carried it home}.
    """,
    """
    {Grandfather|Grandmother|The <job>} {planted|put} a seed in a(n) <colour> {pot|bucket|boot} \
        and {told <name> to wait|said: "Wait"}.
    {After a week|After two weeks} there was {nothing|a tiny leaf}, and <name> {sang to \
        it|forgot it|watered it with tea}.
    {In May|In June} it was {as tall as <friend>|taller than the door|full of flowers}.
    {The <animal> ate half of it|Nobody knew its name}, {but the rest smelled wonderful|so they \
        called it <pet>}.
    """,
    """
    {The school|The village} {gave|put on} a play, and <name> {was to be|had to play} {a(n) \
        <animal>|a(n) <job>|the moon|a tree}.
    <He> {had only one line|did not have to speak}, but {practised|trembled} {for days|every night}.
    {On the evening itself|When the curtain rose}, <he> {forgot it|stumbled over a(n) \
        <thing>|sneezed}.
    {The people|Everyone} {laughed and clapped|thought it was part of the play}, and <friend> \
        {whispered|said}: "{Well done|That was the best part}."
    """,
    """
    <name> {found|drew} a map {in an old book|on the back of a bill}, with a cross {near|behind} \
        the <second_place>.
    {With|Together with} <friend> and a(n) {spade|lamp|<animal>}, <he> {dug|searched} {until \
        noon|all day|in the rain}.
    {They found|There was} {a box|a jar} with {buttons|a(n) <thing>|a note that said "Too \
        late"|<food>} in it.
    {It was not gold|No treasure}, {but|and yet} {nobody was disappointed|it was a fine day}.
    """,
    """
    {One night|Late at night} the lights {went out|failed} in the whole {street|village}.
    <name> {lit a candle|felt <his> way|sat by the window} and {told|read} {<friend>|the others} \
        {a story|about a(n) <animal> and a(n) <job>}.
    {The neighbours|More and more people} {came|sat down}, {one with <food>|each with a(n) <thing>}.
    When the lights {came back|went on again}, {somebody switched them off|everyone said "Oh"}.
    """,
    """
    <friend> {was ill|had a fever|had broken an arm} and {had to stay in bed|could not come to \
        the <second_place>}.
    So <name> {brought|made} {<food>|a(n) <colour> <thing>|a song about a(n) <animal>}.
    "{Tell me|What happened outside}," said <friend>, and <name> {told everything|invented half \
        of it}.
    {By evening|A few days later} <friend> {laughed again|was well|stood at the door}.
    """,
)
UNSEEN_PLOTS = (
    """
    {A train|The circus|A ship} {stopped|arrived} {near|behind} the <second_place>, {and|where} \
        nobody had {expected|seen} it before.
    <name> {climbed in|looked through a window|asked a(n) <job>} and saw a(n) <animal> in a(n) \
        <colour> {hat|coat}.
    "{We are lost|Where is the sea|Do you sell tickets}?" it {seemed to say|asked}.
    {In the morning|When <he> came back with <friend>} there was only {a(n) <thing>|smoke|a \
        smell of <food>}.
    """,
    """
    {The king|The mayor} {could not sleep|had a cough|was bored}, and {promised|offered} a(n) \
        <thing> to whoever helped.
    {Doctors|Wise people} came with {tea|music|powders}, and the <job> came with <food>.
    <name> {only|simply} {opened the window|sat down and was quiet|brought a sleepy <animal>}.
    {Soon|Before long} there was {snoring|silence}, and the <thing> {belonged to <name>|stood at \
        <his> door}.
    """,
    """
    {On the beach|On the bank of the river} lay a bottle with a {message|drawing} of a(n) <animal>.
    <name> {wrote an answer|added a(n) <thing> to the drawing} and threw it {back|far out}.
    {Weeks|A year} later {another|a second} bottle {came|was there}, {with|and in it} {a \
        photograph|<food>|a(n) <colour> feather}.
    {So it went on|They wrote for years}, and {they never met|one day <friend> stood at the \
        harbour}.
    """,
    """
    <name> had a shadow that {was always late|pointed the wrong way|did not like the \
        <second_place>}.
    {"Come on,"|"Do hurry,"} <he> said {every morning|again and again}, but it {stopped|played} \
        with {the shadow of a(n) <animal>|a(n) <thing>}.
    {One noon|On the longest day} it {was gone|did not come at all}.
    {<friend> found it|It was found} {asleep under a bench|in the <place>}, and {from then \
        on|since then} <name> {walks more slowly|waits for it}.
    """,
    """
    {There were two bakers|There were two shops} {in|near} the <second_place>, and they \
        {hated|envied} each other.
    {One|The first} {sold|made} <food>, {the other|and the second} {copied it|sold it cheaper}.
    <name> {bought|asked for} half {here|in one} and half {there|in the other}, and {put them \
        together|ate them in the street}.
    {It tasted better than ever|Everybody wanted the same}, so {they married|they took down the \
        wall}.
    """,
)

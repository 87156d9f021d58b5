"""The words that the rules for requirements look for, in lower case."""

from __future__ import annotations

import re


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")


# A question about the fleet, around the task itself. Only at the beginning of a sentence.
FRAME = re.compile(
    r"""(?ix) [¿¡\s]*
    (?: (?:can|could|would|will|is)\ (?:you|i|we|it|my\ \w+|the\ fleet)
        \s+(?:please\s+)?(?:be\ able\ to\s+|able\ to\s+|possible\ to\s+)?
        (?:handle|manage|do|run|cope\ with|deal\ with|process|support|have)\b[\s:,]*
      | (?:can|could|would|will)\ (?:you|i|we)\s+(?:please\s+)?
      | is\ it\ possible\ to\s+
      | (?:what(?:'s|\ is|\ would\ be)|which(?:\ (?:one\ )?is)?)\s+(?:the\s+)?
        (?:best|right|fastest|most\ suitable|ideal)\s+(?:(?:local|ollama)\s+)?
        (?:model|llm|machine|instance|way)
        \s*(?:to\ use\s+)?(?:for|to|is\ best\ for)?[\s:,]*
      | which\ (?:model|machine|instance)\ (?:should|can|could)\ (?:i\ use|do|handle|run)
        \s*(?:for|to)?[\s:,]*
      | should\ (?:i|we)\ (?:run|do|process)\s+
      | should\s+(?=.*\b(?:locally|remotely|run|here|cloud)\b)
      | how\ (?:long|fast|quickly)\s+(?:would|will|does|do|can|could)?\s*(?:it|you|we|i)?\s*
        (?:take\ to|take\ for|take|need\ for|need\ to|be\ to)?[\s:,]+
      | (?:kannst\ du|können\ (?:sie|wir)|kann\ ich|schafft\ ihr|schaffst\ du)\s+(?:bitte\s+)?
      | (?:welches\ modell\ ist\ (?:das\ )?(?:beste|am\ besten)\s+(?:für|geeignet\ für)?)\s*
      | (?:peux-tu|pouvez-vous|puis-je|peut-on)\s+
      | (?:quel\ est\ le\ meilleur\ modèle\ pour)\s+
      | (?:puedes|puedo|podemos|se\ puede)\s+
      | (?:¿?cuál\ es\ el\ mejor\ modelo\ para)\s+
      | please\s+ | bitte\s+
    )"""
)
FRAME_END = re.compile(
    r"(?i)(?:\s*\b(?:locally or remotely|remotely or locally|locally|remotely|"
    r"on (?:my|our|this) (?:machines?|laptop|computer|hardware|fleet)|here or (?:there|"
    r"in the cloud)|"
    r"run locally(?: or remotely)?|take|bewältigen|schaffen)\b)+\s*\?*\s*$"
)
# What is left when nothing but the question was asked.
EMPTY = re.compile(
    r"(?i)\W*(?:(?:i|we) (?:need|want|have)|(?:get|give) me) (?:an? |the |my )?"
    r"(?:answers?|repl(?:y|ies)|results?|"
    r"responses?)"
    r"(?: (?:to|for) (?:this|it|that))?"
    r"(?:,? (?:(?:with)?in|asap|by|under|fast|quickly|now)\b[\w .]{0,30})?\W*"
    r"|[\s\W]*(?:(?:for|to|do|with)\s+)?(?:(?:this|that|it|the|my|a|such|diese[nsr]?|cette|"
    r"esta|das)?\s*(?:new\s+|next\s+)?"
    r"(?:task|job|work|request|prompt|thing|stuff|question|aufgabe|tâche|tarea)?)?[\s\W]*"
)

# The sentence is about the thing, and asks for none of it.
ABOUT = _any(
    r"why",
    r"explain\w*",
    r"erklär\w*",
    r"expliqu\w*",
    r"explica\w*",
    r"how (?:do|does|did|is|are|was|were|to|can (?:i|we)|would)",
    r"what (?:is|are|was|does|do|did|causes?)",
    r"was (?:ist|sind|bedeutet)",
    r"reduc\w+",
    r"optimi[sz]\w+",
    r"improv\w+",
    r"debug\w*",
    r"measur\w+",
    r"caus(?:e|es|ed|ing)",
    r"defin\w+",
    r"difference",
    r"mean(?:s|t|ing)?",
    r"fix\w*",
    r"my (?:network|database|website|server|query|queries|api|game|router|internet)\s+(?:has|is|"
    r"with)",
    r"(?:write|build|create|implement|design|develop)\s+(?:(?!for\b)\w+\s+){0,4}"
    r"(?:app|application|server|client|system|service|program|script|function|code|website)",
)

LATENCY = (
    r"(?:latency|latencies|latenz\w*|latence|latencia|response time|reaction time|antwortzeit\w*|"
    r"reaktionszeit\w*|temps de réponse|tiempo de respuesta|first token|first word|ttft|"
    r"erste\w* token|premier (?:jeton|token)|primer token|delay)"
)
WITHIN = (
    r"within|in under|in less than|in at most|in no more than|in max(?:imum)?|under|below|at most|"
    r"no (?:more|longer) than|not (?:more|longer) than|less than|faster than|"
    r"innerhalb(?: von)?|binnen|in (?:höchstens|weniger als|maximal|unter)|höchstens|maximal|"
    r"spätestens in|spätestens nach|en moins d[e']|moins d[e']|sous|d'ici|dans les|au plus|"
    r"en menos de|menos de|dentro de|en menos|como máximo(?: en)?|en máximo"
)
IN = r"in|en|dans|by"
DEADLINE = (
    r"\b(?:(?:i|we|you)(?: only)? have(?: only)?(?= \S+ (?:sec|min|hour)\w*\s*(?:[:,.;]|$|"
    r"to answer|for this))|deadline|time limit|time budget|max(?:imum)? time|frist|zeitlimit|délai|"
    r"límite de tiempo|plazo)"
)
# The answer, and what is done to it.
SERVICE = _any(
    r"answer\w*",
    r"repl(?:y|ies)",
    r"respon(?:d|se)\w*",
    r"results?",
    r"output",
    r"done",
    r"ready",
    r"complete[ds]?",
    r"finished",
    r"i (?:need|want|have|require|expect)",
    r"we (?:need|want|have|require|expect)",
    r"you have",
    r"needed",
    r"due",
    r"antwort\w*",
    r"ergebnis\w*",
    r"fertig",
    r"brauche\w*",
    r"benötige\w*",
    r"réponse",
    r"répond\w*",
    r"résultat\w*",
    r"besoin",
    r"fini",
    r"prêt",
    r"respuesta\w*",
    r"resultado\w*",
    r"necesit\w+",
    r"listo",
)
# What follows belongs to what the task is about.
SUBORDINATE = _any(
    r"about",
    r"who",
    r"whom",
    r"which",
    r"where",
    r"how (?:to|far|many|much|do|does|did|a|an)",
    r"why",
    r"story",
    r"poem",
    r"recipe",
    r"joke",
    r"if",
    r"when",
    r"get",
    r"become",
    r"learn",
    r"lose",
    r"run",
    r"ran",
    r"über",
    r"wer",
    r"wie",
    r"warum",
    r"geschichte",
    r"sur",
    r"qui",
    r"comment",
    r"pourquoi",
    r"histoire",
    r"sobre",
    r"quién",
    r"cómo",
    r"por qué",
    r"historia",
)
SUBORDINATE_STORY = _any(
    r"story", r"poem", r"novel", r"joke", r"about", r"über", r"sur", r"sobre", r"geschichte"
)
QUESTION = re.compile(
    r"\W*(?:how|what|why|when|where|who|which|is|are|does|do|did|was|were|has|have|wie|was|warum|wer|"
    r"wann|wo|comment|pourquoi|qui|quand|cómo|qué|quién|cuándo|¿)\b"
)
IMPERATIVE = re.compile(
    r"\W*(?:summari[sz]e|translate|analy[sz]e|classify|extract|process|review|read|tag|label|"
    r"describe|categori[sz]e|transcribe|proofread|check|generate|write|draft|give|tell|rewrite|"
    r"compare|solve|find|list|index|fasse|übersetze|analysiere|schreib\w*|prüfe|lies|diese[snr]?|résume\w*|"
    r"traduis\w*|traduire|analyse\w*|écri\w+|resume|resumir|traduc\w+|analiza\w*|escrib\w+|\d)"
)

# A plain topic, which a limit may follow: `about cats within 20 seconds`.
TOPIC = re.compile(r"\b(?:about|über|sur|sobre)\s+(?:[^\W\d]+\s+){1,2}$")
# What comes out is as long as what goes in.
AS_LONG = re.compile(
    r"\W*(?:\w+ing\s+)?(?:translat\w+|proofread\w*|rewrit\w+|rephras\w+|paraphras\w+|anonymi[sz]\w+|"
    r"übersetz\w*|korrigier\w*|tradui\w+|traduc\w+|reescrib\w+|corrig\w+)\b"
)

PAGES = r"(?:pages?|seiten?|seitig\w*|páginas?)"
WORDS = r"(?:words?|wörter\w*|worten?|mots?|palabras?)"
SENTENCES = r"(?:sentences?|bullet points?|bullets|sätzen?|stichpunkten?|phrases?|frases?)"
WRITING = _any(
    r"write",
    r"draft",
    r"compose",
    r"generate",
    r"create",
    r"produce",
    r"make",
    r"give me",
    r"invent",
    r"think of",
    r"suggest",
    r"list",
    r"tell me",
    r"schreib\w*",
    r"verfass\w*",
    r"erstell\w*",
    r"erzeug\w*",
    r"écri\w+",
    r"rédige\w*",
    r"crée\w*",
    r"escrib\w+",
    r"redact\w+",
    r"crea",
    r"genera",
)
READING = _any(
    r"summar\w+",
    r"analy[sz]\w*",
    r"read\w*",
    r"review\w*",
    r"translat\w+",
    r"classif\w+",
    r"extract\w*",
    r"process\w*",
    r"tag\w*",
    r"label\w*",
    r"describ\w+",
    r"caption\w*",
    r"categori[sz]\w+",
    r"sort\w*",
    r"check\w*",
    r"transcrib\w+",
    r"rate",
    r"score",
    r"proofread\w*",
    r"index\w*",
    r"embed\w*",
    r"answer\w*",
    r"digest\w*",
    r"look at",
    r"go through",
    r"handle",
    r"rewrite",
    r"anonymi[sz]e",
    r"zusammen\w*",
    r"fasse",
    r"auslesen",
    r"extrahier\w*",
    r"analysier\w*",
    r"lies",
    r"lese\w*",
    r"übersetz\w*",
    r"klassifizier\w*",
    r"prüf\w*",
    r"résum\w+",
    r"lis",
    r"lisez",
    r"lire",
    r"tradui\w+",
    r"class(?:e[rz]?|ify\w*)",
    r"resum\w+",
    r"analiz\w+",
    r"traduc\w+",
    r"clasific\w+",
    r"leer?",
)
# Right before a figure: the thing is there already.
OF_THIS = re.compile(
    r"(?:\b(?:of|from|on|through|this|these|my|our|the|attached|dieses?|diesen?|meine?\w*|ce|cette|"
    r"ces|mon|este|esta|estos|mi|vom|von)\s+)(?:(?:a|an|the|this|my|our|einem|einer|un|une|"
    r"una)\s+)?$"
)
# Right before a figure: so long is the answer to be.
LENGTH_OF_ANSWER = re.compile(
    r"\b(?:answers?|response|reply|output|result|antwort|réponse|respuesta) (?:of|von|de) $|"
    r"\b(?:in|into|to|with|using|about|around|under|max(?:imum)?|at most|up to|exactly|limited to|"
    r"no more than|less than|auf|in etwa|höchstens|maximal|mit|en|avec|au plus|con|hasta)\s+"
    r"(?:about\s+|around\s+|at most\s+|no more than\s+|max(?:imum)?\s+|exactly\s+|höchstens\s+)?$"
)

THINGS = (
    r"(?P<thing>documents?|docs|files?|pdfs?|e-?mails?|mails|reviews?|tickets?|images?|photos?|"
    r"pictures?|screenshots?|articles?|papers?|reports?|contracts?|letters?|records?|prompts?|"
    r"questions?|books?|novels?|chapters?|essays?|tweets?|comments?|messages?|invoices?|resumes?|cvs?|abstracts?|transcripts?|"
    r"requests?|texts?|dokumente?|dateien?|bilder|fotos?|rechnungen|artikel|berichte|verträge|"
    r"nachrichten|texte|fichiers?|courriels?|factures?|contrats?|rapports?|documentos?|correos?|"
    r"imágenes|imagenes|archivos?|artículos?|facturas?|contratos?|informes?)"
)
PICTURE = re.compile(r"images?|photos?|pictures?|screenshots?|bilder|fotos?|im[áa]genes")
NOTE = re.compile(
    r"e-?mails?|mails|reviews?|tickets?|prompts?|questions?|books?|novels?|chapters?|essays?|tweets?|comments?|messages?|requests?|"
    r"records?|nachrichten|courriels?|correos?"
)
# So many at the same time, each with a task of its own.
AT_ONCE = (
    r"(?:(?:concurrent|parallel|simultaneous|gleichzeitige?|parallele?|simultan[ée]e?s?|simultáne[ao]s?|"
    r"concurrente?s)\s+(?:users?|requests?|people|conversations?|chats?|calls?|clients?|nutzer|"
    r"anfragen|utilisateurs?|requêtes|usuarios?|peticiones)|(?:users?|requests?|people) "
    r"(?:at (?:once|the same time)|in parallel|concurrently|simultaneously))"
)
HOW_MANY = re.compile(r"\W*(?:how many|how much|wie viele?|combien|cuánt[ao]s?)\b")
# They are one task together.
TOGETHER = _any(
    r"compar\w+",
    r"contrast\w*",
    r"merg\w+",
    r"combin\w+",
    r"between",
    r"vergleich\w*",
    r"difference",
)
HOW_LONG = _any(r"how long", r"how fast", r"throughput", r"wie lange", r"each", r"in parallel")

_POINTED = (
    r"(?:this|these|that|those|my|our|the attached|attached|following|each|an?|the|dieses?|"
    r"diese[mnr]?|"
    r"mein\w*|ein\w*|cette|ces|une|mon|esta|este|estas|una|mi)"
)
SEEN = re.compile(
    r"\b(?:what(?:'s| is| do you see)? (?:on|in)|look at|describe|caption|read|analy[sz]e|see|"
    r"recogni[sz]e|"
    r"identify|ocr|extract\b.{0,30}\bfrom|was ist auf|beschreib\w*|décri\w+|describ\w+|transcribe)"
    rf"\s+(?:the\s+\w+\s+(?:in|on|from)\s+)?{_POINTED}\s+(?:\w+\s+)?"
    r"(?:photos?|images?|pictures?|screenshots?|scans?|bild(?:er|es)?|fotos?|imagen|imágenes|"
    r"photographs?)\b"
    rf"|\b{_POINTED}\s+(?:photo|image|picture|screenshot)\s*[?.!]?$"
    r"|\b(?:understand|see|read|process|handle|analy[sz]e)\s+(?:images|photos|pictures|"
    r"screenshots)\b"
    r"|^images?\b.{0,20}$"
)
NO_PICTURE = re.compile(
    r"\b(?:docker|disk|self|mirror|container|iso|vm|brand|public|body|inverse|big|bigger|"
    r"whole)[\s-]+"
    r"(?:image|picture)|\b(?:image|picture)\s+of\s+(?:the\s+)?(?:women|men|god|society|the other)"
)
DRAW = re.compile(
    r"\b(?:draw|paint|generate|create|make|render|zeichne|male|dessine|dibuja)\b(?:\s+(?:me|an?|"
    r"the|some|"
    r"\w+))?\s+(?:\w+\s+){0,2}?(?:image|picture|photo|logo|illustration|drawing|painting|bild|"
    r"dessin|"
    r"imagen)s?\b(?!\s+(?:caption|description|file|tag|class|gallery|viewer|element))"
)
HEARD = re.compile(
    r"\btranscrib\w*\b.{0,40}\b(?:audio|recording|podcast|call|meeting|speech|voice|video|"
    r"interview)\w*"
    r"|\b(?:listen to|hear)\s+(?:this|my|an?|the)\s+(?:\w+\s+)?(?:audio|recording|song|podcast|"
    r"voice)"
)
EMBEDDED = re.compile(
    r"\b(?:comput\w+|creat\w+|mak\w+|generat\w+|calculat\w+|produc\w+|get)\s+(?:\w+\s+){0,2}?embeddings\b"
    r"|^embed\s+(?:all\s+|each\s+of\s+)?(?:these|those|my|our|the|\d[\d.,]*)\s+(?:[\w-]+\s+){0,3}?"
    r"(?:documents?|texts?|notes|files|chunks|passages|sentences|pages|pdfs|e-?mails|articles|"
    r"paragraphs|reviews|questions|tickets)\b"
)
TOOLS = re.compile(
    r"\b(?:function[- ]calling|tool[- ](?:calling|calls?|use)|call(?:s|ing)? (?:tools|functions)|"
    r"us(?:e|es|ing) tools|agent with tools)\b"
)

_TALK = (
    r"(?:conversations?|chats?|dialog(?:ue)?s?|voice|speech|talk|assistant|calls?|interpret\w*|"
    r"translation|captions?|subtitles?|discussion|gespräch\w*|unterhaltung\w*|übersetzung|"
    r"conversación|conversaciones|traduction|traducción|diálogo)"
)
LIVE_TALK = re.compile(
    rf"\b(?:real[- ]?time|live|echtzeit)(?:[\s-]+\w+)?[\s-]*{_TALK}\b"
    r"(?!\s+(?:app|application|server|client|service|website|component|feature|system|backend|code|"
    r"protocol|program))"
    rf"|\b{_TALK}\b.{{0,12}}\b(?:in real[- ]?time|in echtzeit|en temps réel|en tiempo real|live)\b"
    r"|\bvoice (?:assistant|chat|conversation|mode)\b(?!\s+(?:app|application|code))"
    r"|\btalk (?:to|with) (?:it|you|me|the model)\b|^real[- ]?time\??$|\bechtzeit-?gespräch"
)

_MACHINE = r"(?:machine|computer|laptop|pc|mac|device|rechner|gerät|ordinateur|ordenador|máquina)"
_NET = (
    r"(?:network|house|home|office|company|premises|building|lan|firm|netz\w*|haus|firma|réseau|"
    r"entreprise|maison|red|casa|empresa)"
)
_NOT_LEAVE = (
    r"(?:(?:must|may|should|can|shall|do|does|will)(?:\s?n[o']t|not)\s+leave|never leaves?|"
    r"without leaving|not leaving|stays?\s+(?:on|in|within|at|inside)|"
    r"keep\s+\w+(?:\s+\w+)?\s+(?:on|in|within)|"
    r"remains?\s+(?:on|in|within)|darf\w*\s+(?:\w+\s+){0,3}nicht\s+verlassen|"
    r"ne (?:doit|doivent|peut) pas (?:quitter|sortir de)|sans quitter|no (?:debe|puede|"
    r"deben) salir de|"
    r"sin salir de|only on|nur (?:auf|in))"
)
_OWN = (
    r"(?:my|our|the|this|mein\w*|unser\w*|de[rnm]|das|dieser|mon|notre|la|le|cet|mi|nuestra|"
    r"esta|este)"
)
STAY_HERE = re.compile(
    rf"\b{_NOT_LEAVE}\s+(?:{_OWN}\s+)?(?:own\s+)?{_MACHINE}\b"
    rf"|\b{_OWN}\s+{_MACHINE}\s+nicht\s+verlassen|\bon this machine only\b|\bonly on this machine\b"
)
STAY_IN = re.compile(
    rf"\b{_NOT_LEAVE}\s+(?:{_OWN}\s+)?(?:own\s+)?(?:\w+\s+)?{_NET}\b"
    rf"|\b{_OWN}\s+{_NET}\s+nicht\s+verlassen"
    r"|\b(?:no|without(?:\s+(?:the|any))?|not\s+(?:use|using|in)(?:\s+the)?|never\s+(?:use|"
    r"in)\s+the|"
    r"ohne|keine|sans(?:\s+le)?|sin(?:\s+la)?)\s+(?:cloud|internet|nube|nuage)\b"
    r"|\b(?:offline|on[- ]prem(?:ises?)?|locally only|only locally|stay local|stays local|"
    r"air[- ]?gapped)\b"
    r"|\b(?:this|these|my|our|it|the|a|an|strictly|highly|diese\w*|ce|cette|este|"
    r"esta)\s+(?:is\s+|are\s+|'s\s+)?"
    r"(?:strictly\s+|highly\s+|very\s+)?(?:confidential|vertraulich\w*|confidentiel\w*|"
    r"confidencial\w*|"
    r"top[- ]secret|privileged)\b"
    r"|\b(?:keep|must be kept|stays?)\s+(?:it|this|them|"
    r"everything)?\s*(?:strictly\s+)?(?:private|confidential)\b"
    r"|\b(?:document|report|contract|data|file|letter|record|text|vertrag|dokument|bericht)s?\s*"
    r"(?:is|are|ist|sind|est|es|,|\()\s*(?:strictly\s+|highly\s+)?(?:confidential|private|"
    r"sensitive|secret|"
    r"vertraulich|geheim|confidentiel\w*|confidencial\w*)\b"
)

LANGUAGES = {
    word: language
    for language, spellings in {
        "English": "english englisch anglais inglés ingles",
        "German": "german deutsch deutsche allemand alemán aleman",
        "French": "french französisch francais français francés frances",
        "Spanish": "spanish spanisch espagnol español espanol",
        "Italian": "italian italienisch italien italiano",
        "Portuguese": "portuguese portugiesisch portugais portugués",
        "Dutch": "dutch niederländisch néerlandais holandés",
        "Polish": "polish polnisch polonais polaco",
        "Russian": "russian russisch russe ruso",
        "Ukrainian": "ukrainian ukrainisch ukrainien ucraniano",
        "Turkish": "turkish türkisch turc turco",
        "Arabic": "arabic arabisch arabe árabe",
        "Hindi": "hindi",
        "Thai": "thai thailändisch",
        "Vietnamese": "vietnamese vietnamesisch vietnamien",
        "Indonesian": "indonesian indonesisch",
        "Chinese": "chinese mandarin chinesisch chinois chino",
        "Japanese": "japanese japanisch japonais japonés",
        "Korean": "korean koreanisch coréen coreano",
        "Swedish": "swedish schwedisch suédois sueco",
        "Danish": "danish dänisch danois danés",
        "Norwegian": "norwegian norwegisch norvégien noruego",
        "Finnish": "finnish finnisch finnois finlandés",
        "Czech": "czech tschechisch tchèque checo",
        "Greek": "greek griechisch grec griego",
        "Hebrew": "hebrew hebräisch hébreu hebreo",
        "Hungarian": "hungarian ungarisch hongrois húngaro",
    }.items()
    for word in spellings.split()
}
# Into a language, and not `in German history`.
LANGUAGE = re.compile(
    r"\b(?:in|into|to|auf|ins|en|al|à l'|vers le|speaks?|understands?)\s*(?:fluent\s+|the\s+)?"
    rf"(?P<language>{'|'.join(LANGUAGES)})\b"
    r"(?=\W*$|\s*[,.;:?!)]|\s+(?:please|within|and|or|in|from|for|with|en|dans|auf|por|bitte|using|under|at|by|"
    r"to|on|within)\b)"
)
SPEAKING = _any(
    r"tell",
    r"give",
    r"translat\w+",
    r"answer\w*",
    r"repl(?:y|ies)",
    r"respon\w+",
    r"writ\w+",
    r"summar\w+",
    r"speak\w*",
    r"understand\w*",
    r"conversation\w*",
    r"chat\w*",
    r"explain\w*",
    r"draft\w*",
    r"übersetz\w*",
    r"antwort\w*",
    r"schreib\w*",
    r"fasse",
    r"tradui\w+",
    r"répond\w*",
    r"écri\w+",
    r"traduc\w+",
    r"respond\w*",
    r"escrib\w+",
    r"gespräch\w*",
)

BEST = re.compile(
    r"\b(?:best possible|highest (?:possible )?quality|as (?:good|accurate|correct) as possible|"
    r"best answer|must be (?:correct|right|accurate)|so gut wie möglich|la meilleure réponse|"
    r"la mejor respuesta)\b"
)
QUICK = re.compile(
    r"\b(?:as (?:fast|quick|quickly|soon) as possible|asap|quick answer|so schnell wie möglich|"
    r"le plus vite possible|lo más rápido posible)\b"
)

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
    r"why|explain\w*|erklär\w*|expliqu\w*|explica\w*",
    r"how (?:do|does|did|is|are|was|were|to|can (?:i|we)|would)",
    r"what (?:is|are|was|does|do|did|causes?)|was (?:ist|sind|bedeutet)|reduc\w+|optimi[sz]\w+",
    r"improv\w+|debug\w*|measur\w+|caus(?:e|es|ed|ing)|defin\w+|difference|mean(?:s|t|ing)?",
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
    r"answer\w*|repl(?:y|ies)|respon(?:d|se)\w*|results?|output|done|ready|complete[ds]?",
    r"finished|i (?:need|want|have|require|expect)|we (?:need|want|have|require|expect)",
    r"you have|needed|due|antwort\w*|ergebnis\w*|fertig|brauche\w*|benötige\w*|réponse",
    r"répond\w*|résultat\w*|besoin|fini|prêt|respuesta\w*|resultado\w*|necesit\w+|listo",
)
# What follows belongs to what the task is about.
SUBORDINATE = _any(
    r"about|who|whom|which|where|how (?:to|far|many|much|do|does|did|a|an)|why|story|poem",
    r"recipe|joke|if|when|get|become|learn|lose|run|ran|über|wer|wie|warum|geschichte|sur|qui",
    r"comment|pourquoi|histoire|sobre|quién|cómo|por qué|historia",
)
SUBORDINATE_STORY = _any(r"story|poem|novel|joke|about|über|sur|sobre|geschichte")
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

# After a limit: one more condition of the answer, and nothing that the limit is about.
CONDITION = re.compile(
    r"\W*(?:and\s+)?(?:(?:with|at|using|on)\s+(?:[\w.,%-]+\s+){0,4}?(?:quality|accuracy|precision|"
    r"tokens?|tok|models?|machines?|laptop|pc|computer|gpu|server|network|points)\b|local(?:ly)?\b)"
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
    r"write|draft|compose|generate|create|produce|make|give me|invent|think of|suggest|list",
    r"tell me|schreib\w*|verfass\w*|erstell\w*|erzeug\w*|écri\w+|rédige\w*|crée\w*|escrib\w+",
    r"redact\w+|crea|genera",
)
READING = _any(
    r"summar\w+|analy[sz]\w*|read\w*|review\w*|translat\w+|classif\w+|extract\w*|process\w*",
    r"tag\w*|label\w*|describ\w+|caption\w*|categori[sz]\w+|sort\w*|check\w*|transcrib\w+|rate",
    r"score|proofread\w*|index\w*|embed\w*|answer\w*|digest\w*|look at|go through|handle",
    r"rewrite|anonymi[sz]e|zusammen\w*|fasse|auslesen|extrahier\w*|analysier\w*|lies|lese\w*",
    r"übersetz\w*|klassifizier\w*|prüf\w*|résum\w+|lis|lisez|lire|tradui\w+",
    r"class(?:e[rz]?|ify\w*)|resum\w+|analiz\w+|traduc\w+|clasific\w+|leer?",
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
TOGETHER = _any(r"compar\w+|contrast\w*|merg\w+|combin\w+|between|vergleich\w*|difference")
HOW_LONG = _any(r"how long|how fast|throughput|wie lange|each|in parallel")

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
    r"(?:it|this|that|everything)\s+(?:must|has to)\s+(?:only\s+)?run\s+(?:entirely\s+)?locally|"
    r"only\s+(?:use\s+)?local\s+models?|local\s+models?\s+only|"
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
    r"tell|give|translat\w+|answer\w*|repl(?:y|ies)|respon\w+|writ\w+|summar\w+|speak\w*",
    r"understand\w*|conversation\w*|chat\w*|explain\w*|draft\w*|übersetz\w*|antwort\w*",
    r"schreib\w*|fasse|tradui\w+|répond\w*|écri\w+|traduc\w+|respond\w*|escrib\w+|gespräch\w*",
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

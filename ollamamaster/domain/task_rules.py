"""Which words and shapes of a prompt tell its type, and which tell that it is hard?

Words are English with the commonest German, French and Spanish ones. The order of the rules
decides where several match; it is in task.py.
"""

from __future__ import annotations

from ollamamaster.domain.prompt_rule import Rule

CODE = Rule(
    "code words",
    """python javascript typescript java golang rust haskell kotlin php perl sql postgresql
    mysql sqlite bash powershell regex* html css dockerfile rest_api unit_test unit_tests
    stack_trace traceback refactor* debug* source_code pull_request codebase pytest numpy pandas
    react django fastapi segfault recursion linked_list binary_search hash_map null_pointer
    shell_script shell_command makefile docstring* one_liner go_struct goroutine github_actions""",
    shapes=(
        ("```", r"```"),
        ("", r"\b(?:def|class|function|void|struct|impl|fn|func)\s+\w+\s*[({<:]"),
        ("import", r"(?m)^[ \t]*(?:import\s+[\w.]+;?$|from\s+[\w.]+\s+import\b)"),
        ("#include", r"#include\s*<"),
        (
            "select",
            r"\bselect\b.{1,80}\bfrom\s+\w+(?:\s+\w+)?\s*(?:;|$|\b(?:where|join|group|order)\b)",
        ),
        ("c++", r"(?<!\w)c\+\+(?!\w)"),
        ("#", r"(?<!\w)[cf]#(?!\w)"),
        (".net", r"(?<!\w)\.net\b"),
        ("error", r"\b[a-z]\w{2,}error\b"),
        ("exception", r"\b[a-z]\w{2,}exception\b"),
        ("for ", r"(?m)^[ \t]*for \w+ in .*:"),
        ("if ", r"(?m)^[ \t]*(?:el)?if \S+ (?:[=!<>]=?|in|is) .*:"),
        (" =", r"(?m)^[ \t]*(?:const|let|var) \w+ ="),
        (")", r"(?m)\)[ \t]*[;{]$"),
        ("}", r"(?m)^[ \t]*\}[})\]]*;?$"),
        (
            "",
            (
                r"\b(?:write|fix|implement|explain|review|optimi[sz]e|test|port|schreib\w*|écris"
                r"|escribe)\b[^.\n]{0,40}\b(?:code|function|script|program|method|class|query"
                r"|bug|loop|parser|algorithm|funktion|skript|programm|función|fonction)s?\b"
            ),
        ),
        (
            " in ",
            (
                r"\b(?:write|implement|build|create|develop|port|program)\b[^.\n]{1,80}"
                r"\bin (?:go|c|r|swift|ruby|dart|scala|lua|julia|zig|elixir)\b"
            ),
        ),
        (
            "",
            (
                r"\b(?:create|add|make|give|convert|summari[sz]e|erkläre?|crea|explique)\b"
                r"[^.\n]{0,40}\b(?:function|script|parser|algorithm|endpoint|funktion|skript"
                r"|función|fonction)s?\b"
            ),
        ),
    ),
)

# Topics of programmers, which prompts that ask for an act or a summary may have too.
CODING_TOPIC = Rule(
    "topics of programmers",
    """git github docker kubernetes npm pip ssh nginx vim emacs grep awk chmod cron crontab
    terraform ansible webpack json yaml xml api endpoint* compiler compiles compiling
    compile_error runtime_error exit_code exit_status segmentation_fault stderr stdout
    merge_conflict rebase cherry-pick last_commit database_schema foreign_key primary_key struct
    hashmap mutex async callback frontend backend localhost webhook const excel_formula
    spreadsheet_formula list_comprehension type_hint* ssl_certificate dependency_tree
    connection_refused systemd venv""",
    shapes=(
        (":", r"\b(?:fatal|error|panic):"),
        ("err!", r"\berr!"),
        ("`", r"`[^`\n]{1,60}`"),
        ("0x", r"\b0x[0-9a-f]{4,}\b"),
        (".", r"\w\.(?:py|js|ts|go|rs|cpp|java|sh|sql)\b"),
    ),
)

MATH = Rule(
    "mathematics words",
    """prove proof theorem lemma integral integrate derivative* differentiate equation* matrix
    eigenvalue* polynomial* prime_number prime_numbers primes a_prime probability factorial
    logarithm log_base square_root modulo geometry triangle hypotenuse calculate compute
    solve_for solve_the simplify taylor_series standard_deviation expected_number expected_value
    area_of_a volume_of_a radius determinant* compound_interest average_speed sum_of divisible
    remainder fraction* converge* gcd lcm binary_of hexadecimal quadratische* berechne* calcule
    calcula beweis* ableitung wahrscheinlichkeit* wurzel_aus dérivée racine_carrée ecuación
    derivada raíz_cuadrada""",
    openings="factor find_x",
    shapes=(
        ("", r"(?<![\w.,])\d[\d.,]*\s*[+*^=\u00d7\u00f7]\s*\(?[\dx]"),
        (" ", r"\d\s+[-/]\s+\d+(?!\s*[a-z])"),
        ("^", r"\b[a-z]\s*\^\s*[\d(n]"),
        ("=", r"\b[xy]\s*[-+=]\s*[\dxy]\b"),
        (
            "",
            (
                r"(?:what'?s|what is|how much is|wie ?viel ist|was ist|cuánto es|combien font)\s+"
                r"\d[\d.,]*\s*(?:[-+*/^x%]|times|plus|minus|percent|prozent|of|von|por|mal|fois)"
            ),
        ),
        ("convert", r"\bconvert\s+\d"),
        ("%", r"\d\s*%\s+(?:of|von|de|discount|off|tip)\b"),
        ("percent", r"\d\s+percent\s+(?:of|discount|off|tip)\b"),
        ("solve", r"\bsolve\b[^.\n]{0,40}[\d=]"),
        ("(", r"\b(?:sin|cos|tan|ln|log|exp|sqrt)\s*\("),
        ("\\", r"\\(?:frac|int|sum|sqrt)\b"),
        ("", "[\u2211\u222b\u221a\u2264\u2265\u221e\u00d7\u00f7]"),
    ),
)

# The word problems of school books.
QUANTITIES = Rule(
    "numbers and a quantity asked for",
    """how_many how_much how_long how_old how_far how_fast how_tall what_percent* when_does
    wie_viele wie_viel wie_lange wie_alt combien quelle_distance cuántos cuántas cuánto""",
    numbers=2,
    shapes=(
        (
            "what ",
            (
                r"\bwhat (?:was|is|are|will be) (?:the|his|her|its|their) (?:\w+ ){0,2}(?:price"
                r"|cost|total|sum|area|age|perimeter|volume|average|distance|speed|value|profit"
                r"|salary|weight|length|ratio|interest|payment)\b"
            ),
        ),
    ),
)

DOCUMENT_WISH = Rule(
    "document wish",
    openings="""summari* sumari* tldr tl;dr key_points key_takeaways key_findings
    key_insights main_points extract highlight insights insight fasse fass_den fass_das
    zusammenfassung résume résumez resume_el resume_la resume_este outline_the classify_these
    classify_the chapter turn_this_log executive_summary go_through_my go_through_the
    read_the_attached""",
)

DOCUMENT = Rule(
    "document words",
    """summarise summarize summary tldr tl;dr key_points key_insights key_findings key_takeaways
    main_findings insight insights extract this_document this_report this_paper this_article
    this_text this_contract this_transcript this_file this_letter this_page this_agreement
    this_policy this_manual this_pdf this_book this_chapter this_invoice these_notes
    these_reviews these_contracts these_documents meeting_notes the_attached attached_all
    the_following_text the_following_document the_following_report the_following_article
    the_text_below according_to_the minutes_of the_minutes minutes_below the_contract_say
    the_report_say the_paper the_transcript the_document my_lease my_contract i_uploaded
    i_attached i_pasted pasted two_contracts diesem_text dieses_dokument diesen_text
    folgenden_text den_vertrag dem_vertrag dem_protokoll dem_bericht wichtigsten_punkte
    ce_document cet_article ce_texte ce_rapport siguiente_documento siguiente_texto
    este_documento este_texto este_artículo puntos_clave""",
    shapes=(
        ("page", r"\b\d+[- ]pages?\b"),
        ("chapter", r"\bchapters? \d"),
        ("section", r"\bsections? \d+\.\d"),
        ("zusammen", r"\bfass\w*\b.{1,60}\bzusammen\b"),
    ),
)

# A question about what stands below or above it: text of several lines and no other sign.
PASTED = Rule(
    "pasted text",
    shapes=(
        ("\n", r"\S\n\s*\S[^\n]{40}"),
        ("\n", r"(?m)^[^\n,]+(?:,[^\n,]+)+\n[^\n,]+(?:,[^\n,]+)+$"),
    ),
)

WRITING_WISH = Rule(
    "writing wish",
    openings="""draft compose rewrite reword rephrase paraphrase translate proofread polish
    correct_the make_this_sound make_it_sound make_it_shorter say_this write_me_a write_a_poem
    write_a_story write_a_short write_an_email write_a_letter write_an_essay übersetze überset*
    formulier* schreibe_ein* schreib_ein* rédige* traduis traduire traduce traducir redacta
    escribe_un* turn_these_bullets finish_this_story finish_the_story""",
)

WRITING = Rule(
    "writing words",
    """write draft compose rewrite rephrase paraphrase translate proofread polish poem essay
    story blog_post cover_letter email e-mail slogan speech lyrics haiku headline newsletter
    press_release limerick dialogue tagline letter caption obituary monologue a_toast job_ad
    eulogy product_description name_ideas bedtime_story linkedin_post gedicht einen_brief
    geburtstagskarte bewerbung poème lettre poema carta cuento formulier* rédige* grammar
    wording how_do_you_say""",
)

REASONING = Rule(
    "reasoning words",
    """why explain compare contrast analyse analyze evaluate tradeoff* trade-off* pros_and_cons
    step_by_step reason* argue argument* implication* strategy design plan puzzle riddle logic*
    deduce infer what_would_happen what_if should_i should_we how_should would_you_rather
    critique hypothes* assess justify rank root_cause* decide prioriti* suppose second-order
    which_would which_one which_should better_than is_it_better worth_it versus vs ethical warum
    weshalb vergleiche soll_ich sollte_ich vor_und_nachteile vorteile pourquoi comparer
    compare_les avantages inconvénients devrais-je por_qué debería ventajas compara
    complete_the_sequence paradox""",
    openings="plan think_through",
    shapes=(
        ("then", r"\bif\b.{3,80}\bthen\b"),
        ("all ", r"\ball \w+ are \w+"),
    ),
)

# What a person wants done: the act stands at the beginning.
TOOLS_WISH = Rule(
    "an act wished for",
    openings="""search_the search_for search_online search_on google_who google_what google_how
    google_the google_for look_up browse navigate_to find_flights find_a_flight find_hotels
    find_a_hotel find_restaurants find_me_a_flight fetch_the fetch_me download_the download_this
    upload_the upload_this send email_my email_the text_my call_my call_the call_a message_my
    reply_to_the_email forward_the forward_this post_this post_to post_on book_a book_me
    book_the reserve_a order_me order_a order_some buy_me schedule_a cancel_my remind_me
    set_a_timer set_an_alarm set_a_reminder set_the wake_me turn_on turn_off turn_up turn_down
    switch_on switch_off play_some play_the play_my play_a open_the open_my open_up close_the
    run_the run_my restart reboot start_the stop_the shut_down kill_the delete_all delete_the
    delete_my remove_all rename_the rename_all move_the move_all move_my copy_the list_the_files
    list_all_files list_my show_me_my save_the save_this create_a_ticket create_an_issue
    create_a_file create_an_event create_a_calendar check_if_my check_if_the check_my
    check_the_weather check_whether_my read_my take_a_screenshot take_a_photo take_a_note
    track_my pay_the pay_my transfer_money commit_these commit_this commit_the commit_and
    push_to deploy_the deploy_this install_the ping_the print_the_file scan_my such_im suche_im
    such_mir suche_nach schick* sende_* öffne ruf_* buche_* bestell* erinner* stell_den
    stell_einen stelle_einen mach_das_licht spiel_* lösch* cherche_sur envoie* ouvre_* réserve_*
    appelle_* rappelle* mets_une_alarme joue_* busca_en envía* manda* abre_* reserva_* llama_a
    pon_una pon_un recuérda*""",
    shapes=(
        ("", r"\A\W*(?:open|read|rename|delete|move|copy|edit)\s+(?:\S+\s+){0,2}\w+\.[a-z]{2,4}\b"),
        ("order", r"\A\W*order \d"),
        (
            "",
            (
                r"\A\W*(?:add|put)\b.{1,60}\b(?:to|on|in) (?:my|the|our) .{0,20}"
                r"\b(?:list|calendar|cart|basket)\b"
            ),
        ),
    ),
)

# What only a look outside can tell.
LIVE = Rule(
    "live facts",
    """weather_forecast wetter météo meteo what_time_is_it my_calendar my_inbox my_emails
    unread_emails my_messages my_downloads my_documents_folder my_desktop my_shopping_list
    bank_balance stock_price share_price bitcoin_price exchange_rate current_price latest_news
    news_today opening_hours near_me on_the_web search_the_web wie_spät_ist_es qué_tiempo
    tiempo_hace quel_temps aktienkurs traffic_on traffic_to price_of_bitcoin""",
    openings="current latest live",
    shapes=(
        ("", r"\b(?:price|score|news|results?)\b.{0,30}\b(?:today|now|tonight|last night)\b"),
        ("weather", r"\bweather\b.{0,20}\b(?:in|for|today|tomorrow|tonight|now|like|this|on|at)\b"),
        ("right now", r"\A\W*(?:what|who|how|where|is|are)\b.{0,60}\bright now\b"),
    ),
    at_most=40,
)

GREETING = Rule(
    "small talk",
    """hi hello hey hiya yo thanks thank_you thx ty cheers good_morning good_evening good_night
    good_day how_are_you how_s_it_going bye goodbye what_s_up sup lol haha hehe hmm hallo moin
    servus danke tschüss wie_geht guten_tag guten_morgen gute_nacht bonjour salut merci bonsoir
    ça_va hola gracias buenos_días qué_tal happy_birthday happy_new_year merry_christmas
    never_mind""",
    at_most=6,
)

REACTION = Rule(
    "small talk",
    "ok okay yes no yep nope sure sorry nice cool great wow test ping welcome nevermind",
    at_most=3,
)

PERSONAL = Rule(
    "personal talk",
    """tell_me_a_joke your_name your_favourite your_favorite who_are_you what_are_you are_you_a
    are_you_an do_you_like do_you_have do_you_ever do_you_think do_you_know_me do_you_remember
    what_can_you_do what_do_you_think who_made_you remember_me cheer_me_up can_we_talk
    can_we_just guess_what let_s_play let_s_chat let_s_talk i_feel i_m_so i_m_bored i_m_sad
    long_time_no_see wer_bist_du wie_heißt_du erzähl_mir_einen_witz comment_tu_t_appelles
    qui_es-tu quién_eres cómo_te_llamas my_day bad_day""",
    openings="""sorry i_m i_am i_feel i_had i_got i_just i_love i_hate i_think i_miss
    i_can_t_sleep my_cat my_dog my_boyfriend my_girlfriend you_are you_re nice_to tell_me_a_joke
    are_you do_you lol haha guess""",
    at_most=40,
)

# A story of more than one sentence that ends in a question is a riddle or a case to judge.
RIDDLE = Rule(
    "a story that ends in a question",
    shapes=(("?", r"\w{2}[.!]\s\S[^\n]{8,}\?\Z"),),
    at_most=80,
)

QUESTION = Rule(
    "question form",
    openings="""what who whom whose where when which how is are was were do does did can could
    will define name list meaning tell_me_about was_ist wer wo wann welche* wie qui où quand
    quel* cuál* quién dónde cuándo""",
    shapes=(("?", r"\?\Z"),),
)

# A search box's question: "boiling point of ethanol".
LOOKUP = Rule(
    "a thing to look up",
    shapes=((" ", r"\A\W*(?:(?!i |my |you |we |me )[\w'-]+ ){1,4}(?:of|in|for|between) \w"),),
    at_most=10,
)

HARD = Rule(
    "hard words",
    """prove proof rigorous* derive in_depth in_detail detailed comprehensive thorough* complex
    advanced optimise optimize architect* distributed concurren* edge_case edge_cases tradeoff*
    trade-off* insight insights critical* step_by_step multi-step infinitely np-hard formal*
    expert research strategy refactor* scalab* production-ready""",
)

EASY = Rule(
    "easy words",
    """briefly in_one_word in_one_sentence in_one_line short_answer yes_or_no simple quick
    quickly just""",
)

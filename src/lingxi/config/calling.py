"""Which country a shop's time zone is of, as far as its telephones are concerned."""

_ZONES = """
1 America/New_York America/Chicago America/Denver America/Los_Angeles America/Phoenix
1 America/Detroit America/Anchorage Pacific/Honolulu America/Toronto America/Vancouver
1 America/Montreal America/Edmonton America/Winnipeg America/Halifax
7 Europe/Moscow
20 Africa/Cairo
27 Africa/Johannesburg
30 Europe/Athens
31 Europe/Amsterdam
32 Europe/Brussels
33 Europe/Paris
34 Europe/Madrid
36 Europe/Budapest
39 Europe/Rome
40 Europe/Bucharest
41 Europe/Zurich
43 Europe/Vienna
44 Europe/London
45 Europe/Copenhagen
46 Europe/Stockholm
47 Europe/Oslo
48 Europe/Warsaw
49 Europe/Berlin
52 America/Mexico_City
54 America/Argentina/Buenos_Aires
55 America/Sao_Paulo
56 America/Santiago
57 America/Bogota
60 Asia/Kuala_Lumpur
61 Australia/Sydney Australia/Melbourne Australia/Brisbane Australia/Perth Australia/Adelaide
62 Asia/Jakarta
63 Asia/Manila
64 Pacific/Auckland
65 Asia/Singapore
66 Asia/Bangkok
81 Asia/Tokyo
82 Asia/Seoul
84 Asia/Ho_Chi_Minh
86 Asia/Shanghai Asia/Chongqing Asia/Urumqi PRC
90 Europe/Istanbul
91 Asia/Kolkata Asia/Calcutta
92 Asia/Karachi
94 Asia/Colombo
234 Africa/Lagos
254 Africa/Nairobi
351 Europe/Lisbon
352 Europe/Luxembourg
353 Europe/Dublin
354 Atlantic/Reykjavik
356 Europe/Malta
357 Asia/Nicosia
358 Europe/Helsinki
359 Europe/Sofia
370 Europe/Vilnius
371 Europe/Riga
372 Europe/Tallinn
380 Europe/Kyiv Europe/Kiev
385 Europe/Zagreb
386 Europe/Ljubljana
420 Europe/Prague
421 Europe/Bratislava
852 Asia/Hong_Kong Hongkong
853 Asia/Macau
886 Asia/Taipei
966 Asia/Riyadh
971 Asia/Dubai
972 Asia/Jerusalem
"""
_LINES = [line.split() for line in _ZONES.splitlines() if line]
_CODES = {zone: code for code, *zones in _LINES for zone in zones}


def find_calling_code(timezone: str) -> str:
    """The calling code of the country in which a time zone lies; empty where none is certain.

    >>> find_calling_code("Europe/London"), find_calling_code("Asia/Shanghai")
    ('44', '86')
    >>> find_calling_code("UTC")
    ''
    """
    return _CODES.get(timezone, "")

"""The words of the simulated shop: its categories, products, people and places."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CategoryWords:
    """One category: what its products are called, cost, and how they sell.

    ``price_pounds`` is the typical price; ``cycle_days`` the time after which the product is used
    up, 0 for lasting goods; ``peak_day`` the day of the year with the highest demand and ``swing``
    how far demand moves around it; ``companion`` the category whose products go with this one.
    """

    name: str
    nouns: tuple[str, ...]
    kinds: tuple[str, ...]
    price_pounds: float
    share: float
    companion: int
    cycle_days: int = 0
    peak_day: int = 340
    swing: float = 0.15


CATEGORIES = (
    CategoryWords(
        "Kitchen",
        ("Mixing Bowl", "Bread Bin", "Chopping Board", "Measuring Jug", "Storage Jar", "Tea Towel"),
        ("Oak", "Enamel", "Stoneware", "Glass", "Bamboo", "Steel"),
        14.0,
        0.15,
        1,
    ),
    CategoryWords(
        "Tea & Coffee",
        ("Breakfast Tea", "Green Tea", "Ground Coffee", "Coffee Beans", "Chai", "Hot Chocolate"),
        ("Assam", "Ceylon", "Colombian", "Organic", "Spiced", "Decaf"),
        7.5,
        0.13,
        0,
        cycle_days=35,
    ),
    CategoryWords(
        "Bath & Body",
        ("Hand Soap", "Body Lotion", "Bath Salts", "Shampoo Bar", "Hand Cream", "Shower Oil"),
        ("Lavender", "Rose", "Citrus", "Sea Salt", "Almond", "Oat"),
        8.5,
        0.13,
        2,
        cycle_days=50,
    ),
    CategoryWords(
        "Candles",
        ("Pillar Candle", "Tea Lights", "Scented Candle", "Candle Holder", "Wax Melts", "Lantern"),
        ("Vanilla", "Cedar", "Fig", "Amber", "Beeswax", "Clove"),
        9.0,
        0.11,
        8,
        cycle_days=75,
        swing=0.45,
    ),
    CategoryWords(
        "Stationery",
        ("Notebook", "Gift Wrap", "Pencil Set", "Card Pack", "Planner", "Desk Tidy"),
        ("Linen", "Marbled", "Floral", "Striped", "Recycled", "Letterpress"),
        6.0,
        0.10,
        4,
        peak_day=250,
    ),
    CategoryWords(
        "Garden",
        ("Plant Pot", "Watering Can", "Seed Kit", "Bird Feeder", "Trowel", "Garden Stool"),
        ("Terracotta", "Zinc", "Wildflower", "Herb", "Copper", "Rattan"),
        16.0,
        0.08,
        5,
        peak_day=135,
        swing=0.75,
    ),
    CategoryWords(
        "Toys",
        ("Puzzle", "Building Blocks", "Soft Bear", "Train Set", "Paint Box", "Skipping Rope"),
        ("Wooden", "Safari", "Woodland", "Ocean", "Circus", "Retro"),
        15.0,
        0.08,
        6,
        swing=0.55,
    ),
    CategoryWords(
        "Textiles",
        ("Cushion", "Throw", "Bath Towel", "Apron", "Table Runner", "Bed Linen"),
        ("Cotton", "Wool", "Velvet", "Waffle", "Gingham", "Quilted"),
        24.0,
        0.07,
        7,
        peak_day=310,
    ),
    CategoryWords(
        "Lighting",
        ("Table Lamp", "String Lights", "Night Light", "Pendant Shade", "Reading Lamp", "Bulb Set"),
        ("Brass", "Paper", "Industrial", "Ceramic", "Starry", "Rattan"),
        32.0,
        0.05,
        3,
        peak_day=330,
        swing=0.3,
    ),
    CategoryWords(
        "Pet Care",
        ("Dog Treats", "Cat Food", "Pet Shampoo", "Chew Toy", "Pet Bed", "Lead"),
        ("Salmon", "Chicken", "Gentle", "Rope", "Fleece", "Leather"),
        11.0,
        0.05,
        9,
        cycle_days=30,
    ),
    CategoryWords(
        "Jewellery",
        ("Necklace", "Earrings", "Bracelet", "Ring Dish", "Brooch", "Trinket Box"),
        ("Silver", "Gold Plated", "Pearl", "Beaded", "Enamelled", "Moonstone"),
        21.0,
        0.03,
        10,
        peak_day=345,
        swing=0.35,
    ),
    CategoryWords(
        "Christmas",
        ("Bauble Set", "Wreath", "Stocking", "Advent Calendar", "Tree Skirt", "Garland"),
        ("Snowflake", "Nordic", "Tartan", "Gingerbread", "Frosted", "Mistletoe"),
        12.0,
        0.02,
        3,
        swing=0.97,
    ),
)
"""Categories in the order of their demand; ``share`` adds up to 1."""

COLOURS = (
    "Sage",
    "Ivory",
    "Navy",
    "Blush",
    "Charcoal",
    "Mustard",
    "Teal",
    "Rust",
    "Vintage",
    "Classic",
    "Mini",
    "Large",
    "Handmade",
    "Everyday",
    "Country",
    "Modern",
)

BRANDS = (
    "Fernhill",
    "Oakley & Wren",
    "Little Harbour",
    "Maison Bleue",
    "Thistledown",
    "Northlight",
    "Penrose",
    "Copper Kettle",
    "Saltmarsh",
    "Willow Lane",
    "Brightwater",
    "Hare & Moon",
)

FIRST_NAMES = (
    *("Amelia", "Oliver", "Isla", "George", "Ava", "Noah", "Mia", "Arthur", "Ivy", "Leo"),
    *("Lena", "Jonas", "Chloe", "Louis", "Sofia", "Mateo", "Emma", "Daan", "Aoife", "Conor"),
    *("Wei", "Xin", "Priya", "Arjun", "Zofia", "Jakub", "Hanna", "Nils", "Fatima", "Omar"),
)

LAST_NAMES = (
    *("Smith", "Jones", "Taylor", "Brown", "Patel", "Khan", "Evans", "Walker", "Wright", "Green"),
    *("Schmidt", "Weber", "Martin", "Bernard", "Garcia", "Lopez", "de Vries", "Jansen", "Murphy"),
    *("Kelly", "Nowak", "Kowalski", "Li", "Chen", "Wang", "Singh", "Larsson", "Rossi", "Ali"),
)

COUNTRIES = (
    ("United Kingdom", 0.80),
    ("Germany", 0.05),
    ("France", 0.05),
    ("EIRE", 0.03),
    ("Netherlands", 0.02),
    ("Spain", 0.02),
    ("Belgium", 0.01),
    ("Sweden", 0.01),
    ("Portugal", 0.01),
)
"""Where customers live, with shares; the names are those a British shop system writes."""

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
)

BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/125.0 Safari/537.36",
    "python-requests/2.32.3",
)

CUSTOM_EVENTS = ("Newsletter Popup Closed", "Store Locator Opened", "Quiz Finished")

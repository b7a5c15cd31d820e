"""Names of the tactics and techniques of MITRE ATT&CK that the catalogue refers to. Pure.

Source: https://attack.mitre.org/, Enterprise matrix, version 17.
"""

from typing import Any

ATTACK_VERSION = "17.1"
TACTICS = {
    "TA0001": "Initial Access",
    "TA0007": "Discovery",
    "TA0010": "Exfiltration",
    "TA0011": "Command and Control",
    "TA0040": "Impact",
}
TECHNIQUES = {
    "T1008": "Fallback Channels",
    "T1029": "Scheduled Transfer",
    "T1041": "Exfiltration Over C2 Channel",
    "T1046": "Network Service Discovery",
    "T1048": "Exfiltration Over Alternative Protocol",
    "T1071": "Application Layer Protocol",
    "T1071.004": "DNS",
    "T1090": "Proxy",
    "T1090.003": "Multi-hop Proxy",
    "T1105": "Ingress Tool Transfer",
    "T1189": "Drive-by Compromise",
    "T1486": "Data Encrypted for Impact",
    "T1496": "Resource Hijacking",
    "T1566": "Phishing",
    "T1567": "Exfiltration Over Web Service",
    "T1568": "Dynamic Resolution",
    "T1568.002": "Domain Generation Algorithms",
    "T1571": "Non-Standard Port",
    "T1572": "Protocol Tunneling",
}


def attack_of(text: str) -> dict[str, Any]:
    """Return OCSF's attack object of a catalogue's ``tactic:technique``."""
    tactic, _, technique = text.partition(":")
    parent, dot, _ = technique.partition(".")
    attack: dict[str, Any] = {
        "version": ATTACK_VERSION,
        "tactic": _named(tactic, TACTICS),
        "technique": _named(parent, TECHNIQUES),
    }
    if dot:
        attack["sub_technique"] = _named(technique, TECHNIQUES)
    return attack


def _named(uid: str, names: dict[str, str]) -> dict[str, str]:
    return {"uid": uid, "name": names[uid]} if uid in names else {"uid": uid}

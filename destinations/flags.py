"""The flags a report may carry: what a destination is, or what is remarkable about it."""

from dataclasses import dataclass
from typing import Literal

FlagType = Literal["category", "feature"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: a stable name, a title for people, and whether it names a kind or a property."""

    name: str
    title: str
    type: FlagType


def _kind(name: str, title: str) -> Flag:
    return Flag(name, title, "category")


def _property(name: str, title: str) -> Flag:
    return Flag(name, title, "feature")


FLAGS: tuple[Flag, ...] = (
    _kind("alt_dns", "Name server that answers for suffixes outside ICANN's root"),
    _kind("anon", "Endpoint of an anonymising service"),
    _kind("apt", "Infrastructure reported in targeted attacks"),
    _property("bad_asn", "Address in an autonomous system with a bad record"),
    _property("bad_tld", "Registered under a top-level domain that abusers favour"),
    _property("bad_ua", "Asked for with a user agent known to be bad"),
    _property("beacon", "Contacted at regular intervals, as a beacon would"),
    _kind("bio", "Host of link-in-bio pages"),
    _kind("blockchain_lookup", "Interface for reading a blockchain"),
    _kind("blocklist", "On somebody's blocklist, no kind given"),
    _kind("botnet", "Compromised machine that takes part in a botnet"),
    _kind("c2", "Command and control of malware"),
    _kind("capture", "Collects stolen credentials"),
    _kind("cert_lookup", "Tells whether a certificate is revoked (OCSP, CRL)"),
    _kind("cms", "Runs a content management system"),
    _property("config_request", "Looked up by a client that configures itself"),
    _kind("cryptomining", "Mining pool of a cryptocurrency"),
    _kind("cryptomining_js", "Serves scripts that mine in the browser"),
    _kind("ctc", "On the blocklist of the Cyber Threat Coalition"),
    _property("dns_block", "Refused by three or more filtering resolvers"),
    _kind("dnscrypt", "DNSCrypt resolver"),
    _kind("doh", "Resolver reached over HTTPS"),
    _kind("dot", "Resolver reached over TLS"),
    _kind("dropper", "Distributes malware"),
    _kind("drupal", "Runs Drupal"),
    _kind("dshield", "On the blocklist of SANS DShield"),
    _property("encoded_ip", "Name that spells an address"),
    _kind("freedns", "Registered under a dynamic DNS provider"),
    _kind("freenet", "Part of Freenet"),
    _kind("hosting", "Belongs to a hosting provider"),
    _kind("i2p", "Part of I2P"),
    _kind("imposter", "Imitates the name of a known brand"),
    _kind("ip_lookup", "Tells callers their public address"),
    _kind("irc", "IRC server"),
    _kind("joomla", "Runs Joomla"),
    _kind("mail_server", "Mail server"),
    _kind("malicious_js", "Serves malicious JavaScript"),
    _property("misconfigured", "Contacted because a system is misconfigured"),
    _kind("name_server", "Name server"),
    _property("non_whitelisted", "Outside the destinations its group trusts"),
    _kind("oast", "Call-back domain of out-of-band security tests"),
    _property("opendir", "Shows an open directory listing"),
    _kind("optiv", "On the blocklist of Optiv"),
    _kind("p2p", "Peer-to-peer node or tracker"),
    _property("parked", "Shows a parking page"),
    _property("perplexing_domain", "Registered domain that looks random"),
    _property("perplexing_host", "Host label that looks random"),
    _kind("phishing", "Phishing site"),
    _kind("popup", "Source of malicious pop-ups"),
    _kind("ransomware", "Infrastructure of ransomware"),
    _kind("sinkholed", "Taken over by researchers: who asks for it is likely infected"),
    _property("suspicious_tld", "Registered under a top-level domain often abused"),
    _kind("tor", "Tor node"),
    _kind("tor_dns", "Gateway from the DNS into Tor"),
    _kind("trusted", "Known good"),
    _property("unique", "Seen in one environment only"),
    _property("unreachable_domain", "Does not resolve"),
    _property("unusual_port", "Port seldom used"),
    _property("young_domain", "Registered less than 60 days ago and little known"),
)

BY_NAME = {flag.name: flag for flag in FLAGS}

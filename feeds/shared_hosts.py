"""Platforms where everybody's files and pages live under one name.

A bad URL there condemns its path, never the host: the rest of the host is somebody else's. The
Public Suffix List's private section covers platforms that give each customer a name; this short
list has those that give each customer a path only.
"""

from destinations import names

SHARED_HOSTS = {
    "1drv.ms": "short links into OneDrive",
    "4shared.com": "file sharing",
    "anonfiles.com": "file sharing",
    "archive.org": "archive of everybody's uploads",
    "bit.ly": "short links",
    "bitbucket.org": "code hosting",
    "box.com": "file sharing",
    "catbox.moe": "file sharing",
    "cutt.ly": "short links",
    "discord.com": "chat with attachments",
    "discordapp.com": "attachments of a chat",
    "dropbox.com": "file sharing",
    "dropboxusercontent.com": "files of a file-sharing service",
    "drive.google.com": "file sharing",
    "facebook.com": "social network",
    "filebin.net": "file sharing",
    "gitee.com": "code hosting",
    "github.com": "code hosting",
    "githubusercontent.com": "files of a code-hosting service",
    "gitlab.com": "code hosting",
    "gofile.io": "file sharing",
    "google.com": "search, documents and drives",
    "googleapis.com": "buckets of a cloud",
    "googleusercontent.com": "files of Google's customers",
    "is.gd": "short links",
    "live.com": "mail and drives",
    "mediafire.com": "file sharing",
    "mega.nz": "file sharing",
    "microsoft.com": "downloads and documents",
    "notion.so": "documents",
    "office.com": "documents",
    "onedrive.com": "file sharing",
    "paste.ee": "pastes",
    "pastebin.com": "pastes",
    "pixeldrain.com": "file sharing",
    "sendspace.com": "file sharing",
    "sharepoint.com": "documents",
    "sourceforge.net": "code hosting",
    "t.co": "short links",
    "t.me": "chat channels",
    "telegra.ph": "pages without an account",
    "telegram.org": "chat",
    "tinyurl.com": "short links",
    "transfer.sh": "file sharing",
    "wetransfer.com": "file sharing",
    "windows.net": "buckets of a cloud",
    "yandex.ru": "search, mail and drives",
    "yousendit.com": "file sharing",
    "youtube.com": "videos",
}
"""Registered domains (or hosts) with what they are, which is why the host says nothing."""


def is_shared(host: str) -> bool:
    """Tell whether a normalised name is a platform's, so that one bad path says nothing of it."""
    if names.is_under_private_suffix(host):
        return True
    registered = names.registered_domain(host)
    return host in SHARED_HOSTS or registered in SHARED_HOSTS

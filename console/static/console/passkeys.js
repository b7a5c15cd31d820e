// What the passkey scripts of django-otp-webauthn need around them: words, and where to go on.
"use strict";
globalThis.gettext ??= (words) => words;
document.addEventListener("otp_webauthn.register_complete", () => {
  const onward = document.getElementById("passkey-onward");
  if (onward) globalThis.location.assign(onward.href);
});

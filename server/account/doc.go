// Package account is who may do what: users and their passwords, second factors,
// sessions, invitations, API tokens, sign-in with an OpenID provider, and the audit that
// says what they did. It knows no HTTP and no table: callers hand it cookies, codes and
// addresses as plain values, and it asks for rows through interfaces of its own.
//
// Whatever proves a person (session, API token, invitation, reset, challenge) is a
// random value that is shown once and kept as its SHA-256; passwords are kept as argon2id;
// the secrets that must be read again (TOTP, the provider's client secret) are sealed by
// the store. None of them is in an error, a log line or the audit.
package account

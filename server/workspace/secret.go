package workspace

import (
	"crypto/subtle"
	"log/slog"
)

// Secret is a key, token or password that must reach the store and nothing else. It
// prints as "redacted" in every format, log and encoding; only Reveal gives it out.
type Secret struct{ text string }

// SecretOf wraps a secret; "" is none.
func SecretOf(text string) Secret { return Secret{text} }

// IsSet says that there is a secret.
func (s Secret) IsSet() bool { return s.text != "" }

// Reveal is the secret itself, for the store and the connection that needs it.
func (s Secret) Reveal() string { return s.text }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.text), []byte(other.text)) == 1
}

// String is "redacted", or "" when there is none.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return "redacted"
}

// GoString keeps %#v from printing the secret.
func (s Secret) GoString() string { return `workspace.Secret{"` + s.String() + `"}` }

// LogValue keeps slog from printing the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from printing the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

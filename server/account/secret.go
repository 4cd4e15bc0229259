package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/mail"
	"strings"
	"unicode"
)

// newSecret is 256 random bits in 43 characters, and the hash that is kept of them.
func newSecret() (secret string, hash []byte) {
	raw := make([]byte, 32)
	rand.Read(raw) //nolint:errcheck // it never fails: the process ends first
	secret = base64.RawURLEncoding.EncodeToString(raw)
	return secret, hashOf(secret)
}

// hashOf is what is kept of a secret that is random enough not to be guessed from it.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// emailOf is an address in the form in which it is kept, or says what is wrong.
func emailOf(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > 254 || strings.ContainsFunc(text, unicode.IsControl) {
		return "", errInvalid("email", "That is no e-mail address.", "Give an address such as sam@msp.example.")
	}
	return text, nil
}

// nameOf is a person's name in the form in which it is kept.
func nameOf(text string) (string, error) {
	text = printable(strings.TrimSpace(text), 200)
	if text == "" {
		return "", errInvalid("name", "The name is missing.", "Give a name that others know.")
	}
	return text, nil
}

// printable cuts text to what may stand in a list: whole characters, none that control.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

package plugin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// SignatureHeader is the header in which a callback carries its signature.
const SignatureHeader = "X-Content-Signature"

// ErrSignature says that a signature is not one of these bytes under this key.
var ErrSignature = errors.New("the signature is not one of these bytes under this key")

// VerifyCallback checks the signature of a callback over its body as it arrived, byte for
// byte: a body that was read and written again has another. The comparison takes the same
// time wherever the two differ.
//
// Vendor page: "Developer Guide", Callbacks, verifying the payload: base64 of the
// HMAC-SHA256 of the body, under the SHA-256 of the signing key as its key.
func VerifyCallback(signingKey string, body []byte, signature string) error {
	given, ok := signatureOf(signature)
	if !ok || signingKey == "" {
		return ErrSignature
	}
	key := sha256.Sum256([]byte(signingKey))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return ErrSignature
	}
	return nil
}

// signatureOf reads a header's value; false for what can't be a signature under any key.
func signatureOf(header string) ([]byte, bool) {
	const encoded = 44 // characters of 32 bytes
	if len(header) != encoded {
		return nil, false
	}
	given, err := base64.StdEncoding.Strict().DecodeString(header)
	return given, err == nil && len(given) == sha256.Size
}

package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyset seals secrets at rest: AES-256-GCM keys, of which the primary seals and all
// open. It never changes; Rotate makes another. Printed or logged it shows no key.
type Keyset struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

// maxKeyset bounds what is read as a keyset; one of a hundred keys is under 30 kB.
const maxKeyset = 256 << 10

// NewKeyset makes a keyset of one fresh key.
func NewKeyset() (*Keyset, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return keysetOf(h)
}

func keysetOf(h *keyset.Handle) (*Keyset, error) {
	a, err := aead.New(h)
	if err != nil {
		// The library's words may quote its input, which is the key.
		return nil, errors.New("the keyset holds no keys for sealing")
	}
	return &Keyset{h, a}, nil
}

// ParseKeyset reads the JSON text that Text gives. Its errors never quote the text.
func ParseKeyset(text string) (*Keyset, error) {
	if len(text) > maxKeyset {
		return nil, errors.New("the keyset is too large")
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(strings.NewReader(text)))
	if err != nil {
		return nil, errors.New("the keyset is not one that `trueup keys new` prints")
	}
	return keysetOf(h)
}

// LoadKeyset reads a file that WriteFile made. A file that others than its owner can
// read is refused. A missing file is fs.ErrNotExist.
func LoadKeyset(path string) (*Keyset, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the keyset: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read the keyset: others can read %s; chmod 600 it", path)
	}
	if info.Size() > maxKeyset {
		return nil, errors.New("the keyset is too large")
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the keyset: %w", err)
	}
	return ParseKeyset(string(text))
}

// Text is the keyset in clear, as JSON: whoever has it can open every secret.
func (k *Keyset) Text() (string, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&b)); err != nil {
		return "", errors.New("the keyset can't be written")
	}
	return strings.TrimSpace(b.String()), nil
}

// WriteFile writes the keyset for its owner alone (mode 0600), whole or not at all: a
// cut in the middle leaves the file that was there.
func (k *Keyset) WriteFile(path string) error {
	text, err := k.Text()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write the keyset: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the keyset: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// Rotate is this keyset with a fresh primary key; the older ones still open what they
// sealed. Store.Rewrap then seals everything with the new one.
func (k *Keyset) Rotate() (*Keyset, error) {
	m := keyset.NewManagerFromHandle(k.handle)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("make key %d the primary: %w", id, err)
	}
	h, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	return keysetOf(h)
}

// Primary is the id of the key that seals; it is no secret.
func (k *Keyset) Primary() (uint32, error) {
	e, err := k.handle.Primary()
	if err != nil {
		return 0, fmt.Errorf("find the primary key: %w", err)
	}
	return e.KeyID(), nil
}

// String shows no key.
func (k *Keyset) String() string { return "[keyset]" }

// GoString shows no key.
func (k *Keyset) GoString() string { return "[keyset]" }

// LogValue shows no key.
func (k *Keyset) LogValue() slog.Value { return slog.StringValue("[keyset]") }

// place is where a sealed value stands. It is bound into the seal, so that a value
// copied to another row or column doesn't open.
type place struct {
	table  string
	row    int64
	column string
}

func (p place) bytes() []byte { return fmt.Appendf(nil, "%s/%d/%s", p.table, p.row, p.column) }

func (k *Keyset) seal(at place, secret string) ([]byte, error) {
	if k == nil {
		return nil, errors.New("seal a secret: no keyset was given")
	}
	b, err := k.aead.Encrypt([]byte(secret), at.bytes())
	if err != nil {
		return nil, fmt.Errorf("seal %s", at.bytes())
	}
	return b, nil
}

func (k *Keyset) open(at place, sealed []byte) (string, error) {
	if k == nil {
		return "", errors.New("open a secret: no keyset was given")
	}
	b, err := k.aead.Decrypt(sealed, at.bytes())
	if err != nil {
		return "", fmt.Errorf("open %s: it was sealed with a key that the keyset doesn't hold, or was altered", at.bytes())
	}
	return string(b), nil
}

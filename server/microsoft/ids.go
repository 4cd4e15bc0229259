package microsoft

import (
	"regexp"
	"strings"
	"unicode"

	"trueup/server/billing"
)

var domainForm = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)

// isGUID is written by hand: it runs for each license of each user.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F'):
			return false
		}
	}
	return true
}

func isDomain(s string) bool { return len(s) <= 253 && domainForm.MatchString(s) }

// tenantID is s as a tenant id, "" when it is none.
func tenantID(s string) billing.TenantID {
	if !isGUID(s) {
		return ""
	}
	return billing.TenantID(strings.ToLower(s))
}

// maxText is how much of a name is kept, in characters; Microsoft's own limit is 256.
const maxText = 300

// clean makes a name from outside safe to keep: control characters, which Postgres
// (NUL) and terminals don't take, become spaces, and it ends somewhere.
func clean(s string) string {
	s = strings.TrimSpace(strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD")))
	if len(s) <= maxText {
		return s
	}
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText])
	}
	return s
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

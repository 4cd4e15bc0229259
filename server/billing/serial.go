package billing

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Role is what a line of ours is for.
type Role byte

// The roles, as they stand in serials; Other is a line that isn't ours.
const (
	Standing    Role = 'S'
	PendingLine Role = 'P'
	Dated       Role = 'D'
	Other       Role = 0
)

// String is the word of the JSON: standing, pending, dated or other.
func (r Role) String() string {
	switch r {
	case Standing:
		return "standing"
	case PendingLine:
		return "pending"
	case Dated:
		return "dated"
	}
	return "other"
}

// Serial is the ownership mark of a line: TU-<link key>-<role><effective>[-n].
type Serial struct {
	Key       LinkKey
	Role      Role
	Effective Day
	N         int // 0 for the first
}

// String is at most 32 characters; ConnectWise keeps 50.
func (s Serial) String() string {
	out := fmt.Sprintf("TU-%s-%c%s", s.Key, s.Role, s.Effective.Time().Format("20060102"))
	if s.N > 0 {
		out += "-" + strconv.Itoa(s.N)
	}
	return out
}

// ParseSerial reads a serial number; ok is false for one that isn't ours.
func ParseSerial(text string) (s Serial, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) < 3 || len(parts) > 4 || parts[0] != "TU" || parts[1] == "" || len(parts[2]) != 9 {
		return Serial{}, false
	}
	role := Role(parts[2][0])
	t, err := time.Parse("20060102", parts[2][1:])
	if err != nil || role != Standing && role != PendingLine && role != Dated {
		return Serial{}, false
	}
	s = Serial{Key: LinkKey(parts[1]), Role: role, Effective: DayOf(t)}
	if len(parts) == 4 {
		n, err := strconv.Atoi(parts[3])
		if err != nil || n < 1 || strconv.Itoa(n) != parts[3] {
			return Serial{}, false
		}
		s.N = n
	}
	return s, true
}

// RoleOf is the role that a line's serial gives it.
func RoleOf(a Addition) Role {
	s, ok := ParseSerial(a.Serial)
	if !ok {
		return Other
	}
	return s.Role
}

// ours says that the line carries the link's serial.
func (k LinkKey) ours(a Addition) bool {
	if !strings.HasPrefix(a.Serial, "TU-"+string(k)) { // most lines, and reading a serial takes long
		return false
	}
	s, ok := ParseSerial(a.Serial)
	return ok && s.Key == k
}

package connectwisesim

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// Member is somebody in Manage: with keys an API member, without them a person, who may be signed in at a browser.
type Member struct {
	ID         int    `json:"id"`
	Identifier string `json:"identifier"`
	PublicKey  string `json:"publicKey,omitempty"`
	PrivateKey string `json:"privateKey,omitempty"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
	Email      string `json:"email,omitempty"`
	// License is licenseClass: F full, A API, C StreamlineIT, X subcontractor. None: A with keys, else F.
	License  string `json:"licenseClass,omitempty"`
	Inactive bool   `json:"inactiveFlag,omitempty"`
}

func memberColumns() []column[Member] {
	return []column[Member]{
		computed("id", func(_ *Sim, m *Member) value { return integer(m.ID) }),
		textColumn("identifier", 15, func(m *Member) *string { return &m.Identifier }),
		textColumn("firstName", 30, func(m *Member) *string { return &m.FirstName }),
		textColumn("lastName", 30, func(m *Member) *string { return &m.LastName }),
		computed("fullName", func(_ *Sim, m *Member) value { return text(strings.TrimSpace(m.FirstName + " " + m.LastName)) }),
		textColumn("defaultEmail", 250, func(m *Member) *string { return &m.Email }),
		computed("licenseClass", func(_ *Sim, m *Member) value { return text(m.License) }),
		boolColumn("inactiveFlag", func(m *Member) *bool { return &m.Inactive }),
	}
}

func (s *Sim) loadMember(m Member) int {
	m.ID = cmp.Or(m.ID, s.members.next())
	m.License = cmp.Or(m.License, map[bool]string{true: "A", false: "F"}[m.PublicKey != ""])
	if old := s.members.rows[m.ID]; old != nil {
		delete(s.keys, old.PublicKey)
	}
	if m.PublicKey != "" {
		s.keys[m.PublicKey] = m.ID
	}
	s.members.put(m.ID, &m)
	return m.ID
}

// SignIn signs a member in at a browser and returns the hash that the Hosted API hands to a pod. Errors: ErrNoRecord.
func (s *Sim) SignIn(memberID int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members.rows[memberID] == nil {
		return "", fmt.Errorf("sign in member %d: %w", memberID, ErrNoRecord)
	}
	hash := rand.Text()
	s.hashes[hash] = memberID
	return hash, nil
}

// SignOut ends the session of a hash.
func (s *Sim) SignOut(hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hashes, hash)
}

// signedIn says who calls: by keys, by the cookies of a browser's session, or by member and hash in place of keys. Behind the cloud's router bad
// keys look like a missing page.
func (s *Sim) signedIn(r *http.Request, routed bool) (string, *reply) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.byCookies(r)
	if m == nil {
		m = s.byBasic(r)
	}
	if m == nil || m.Inactive {
		out := errorReply(http.StatusUnauthorized, "Unauthorized", "UserNotAuthenticated")
		if routed {
			out = noPage()
		}
		return "", &out
	}
	if id := r.Header.Get("clientId"); id == "" || s.cfg.ClientID != "" && id != s.cfg.ClientID {
		out := errorReply(http.StatusForbidden, "ConnectWiseApi", "A valid clientId header is required.")
		return "", &out
	}
	return m.Identifier, nil
}

func (s *Sim) byBasic(r *http.Request) *Member {
	user, password, ok := r.BasicAuth()
	company, name, _ := strings.Cut(user, "+")
	if !ok || !strings.EqualFold(company, s.cfg.CompanyID) {
		return nil
	}
	if m := s.members.rows[s.keys[name]]; m != nil {
		if subtle.ConstantTimeCompare([]byte(password), []byte(m.PrivateKey)) == 1 {
			return m
		}
		return nil
	}
	return s.byHash(name, password)
}

// byCookies is the session form; browser sessions are refused without their context.
func (s *Sim) byCookies(r *http.Request) *Member {
	cookie := func(name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
	if !strings.EqualFold(cookie("companyName"), s.cfg.CompanyID) || cookie("memberContext") == "" {
		return nil
	}
	return s.byHash(cookie("memberId"), cookie("memberHash"))
}

func (s *Sim) byHash(identifier, hash string) *Member {
	m := s.members.rows[s.hashes[hash]]
	if m == nil || !strings.EqualFold(m.Identifier, identifier) {
		return nil
	}
	return m
}

func listMembers(s *Sim, c call, _ []int) reply { return listReply(s, s.members, c, nil) }

func countMembers(s *Sim, c call, _ []int) reply { return countReply(s, s.members, c, nil) }

func getMember(s *Sim, c call, ids []int) reply { return oneReply(s, s.members, ids[0], c) }

// myInfo answers /system/myMembers/info: who the caller is.
func myInfo(s *Sim, c call, _ []int) reply {
	return oneReply(s, s.members, s.memberID(c.member), c)
}

func (s *Sim) memberID(identifier string) int {
	for id, m := range s.members.rows {
		if m.Identifier == identifier {
			return id
		}
	}
	return 0
}

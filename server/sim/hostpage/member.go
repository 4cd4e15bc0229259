package hostpage

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trueup/server/sim/connectwisesim"
)

// cookie keeps who is signed in at a browser: the id of a member. It is a simulation; the
// real one keeps a session.
const cookie = "member"

// person is a member as the page shows it.
type person struct {
	ID         int    `json:"id"`
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
	SignedIn   bool   `json:"signedIn"`
}

// People loads the members that a demonstration has, where Manage has none but those with
// keys, and returns the identifier of the first.
func People(manage *connectwisesim.Sim) string {
	if at := people(manage); len(at) > 0 {
		return at[0].Identifier
	}
	for _, m := range []connectwisesim.Member{
		{Identifier: "scarter", FirstName: "Sam", LastName: "Carter", Email: "sam@msp.example"},
		{Identifier: "rpatel", FirstName: "Ravi", LastName: "Patel", Email: "ravi@msp.example"},
		{Identifier: "nnew", FirstName: "Nina", LastName: "Newman", Email: "nina@msp.example"},
	} {
		manage.AddMember(m)
	}
	return people(manage)[0].Identifier
}

// people are the members without keys, who sign in at browsers.
func people(manage *connectwisesim.Sim) []connectwisesim.Member {
	return slices.DeleteFunc(manage.Export().Members, func(m connectwisesim.Member) bool { return m.PublicKey != "" || m.Inactive })
}

// current is who is signed in at a browser: the first, until somebody else is chosen.
func (p *Page) current(r *http.Request) (connectwisesim.Member, error) {
	all := people(p.cfg.Manage)
	if c, err := r.Cookie(cookie); err == nil {
		id, _ := strconv.Atoi(c.Value)
		if at := slices.IndexFunc(all, func(m connectwisesim.Member) bool { return m.ID == id }); at >= 0 {
			return all[at], nil
		}
	}
	if len(all) == 0 {
		return connectwisesim.Member{}, refusal{http.StatusNotFound, "this Manage has no members"}
	}
	return all[0], nil
}

func (p *Page) members(_ http.ResponseWriter, r *http.Request) (any, error) {
	me, err := p.current(r)
	if err != nil {
		return nil, err
	}
	out := []person{}
	for _, m := range people(p.cfg.Manage) {
		out = append(out, person{m.ID, m.Identifier, strings.TrimSpace(m.FirstName + " " + m.LastName), m.ID == me.ID})
	}
	return out, nil
}

func (p *Page) signIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var sent struct {
		ID int `json:"id"`
	}
	if err := read(r, &sent); err != nil {
		return nil, err
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: strconv.Itoa(sent.ID), Path: "/", SameSite: http.SameSiteLaxMode, HttpOnly: true})
	return struct{}{}, nil
}

// authentication is the data of getMemberAuthentication, with its names in mixed case.
func (p *Page) authentication(_ http.ResponseWriter, r *http.Request) (any, error) {
	me, err := p.current(r)
	if err != nil {
		return nil, err
	}
	hash, err := p.hash(me.ID)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"site": "http://" + r.Host, "companyid": p.cfg.Company, "memberid": me.Identifier, "memberHash": hash,
		"memberContext": "web", "memberEmail": me.Email, "codeBase": p.cfg.Manage.Export().Codebase,
	}, nil
}

// hash is of one session for each member, which lasts as long as the page.
func (p *Page) hash(member int) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.hashes[member]; known != "" {
		return known, nil
	}
	made, err := p.cfg.Manage.SignIn(member)
	if err != nil {
		return "", err
	}
	p.hashes[member] = made
	return made, nil
}

// SignOut ends the sessions of all members: what pods were given is worth nothing any more.
func (p *Page) SignOut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, hash := range p.hashes {
		p.cfg.Manage.SignOut(hash)
	}
	p.hashes = map[int]string{}
}

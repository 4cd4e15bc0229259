package microsoftsim

import (
	"encoding/json"
	"strings"
)

// person is a user as an answer shows it, stored or made up.
type person struct {
	id, name, upn, mail string
	enabled, guest      bool
	created             Day
	licenses            []Assignment
}

func firstNames() []string {
	return []string{"Adele", "Ben", "Chioma", "Diego", "Emi", "Farid", "Grete", "Hana", "Ivan", "Jo", "Kofi", "Lina", "Mateo", "Noor", "Olga", "Paulo", "Quynh", "Rosa", "Sven", "Tuva"}
}

func lastNames() []string {
	return []string{"Vance", "Okafor", "Lopez", "Sato", "Haddad", "Berg", "Novak", "Petrov", "Smith", "Mensah", "Costa", "Nguyen", "Rossi", "Larsen", "Khan", "Silva", "Müller", "Dubois", "O'Brien", "Kowalski", "Ito", "Andersson", "Moreau"}
}

// people lists the tenant's users of a day: the stored ones, then the made-up ones. licensed leaves out who holds nothing; sku, when given,
// who doesn't hold it.
func (t *Tenant) people(day Day, licensed bool, sku string) *roster {
	r := &roster{tenant: t, day: day, given: firstNames(), family: lastNames()}
	all, holders := t.peopleOn(day)
	for _, of := range t.SKUs {
		if of.AppliesTo == "User" && seatDay(of.Subscriptions, day).Present {
			r.skus = append(r.skus, of)
		}
	}
	r.made = all
	if licensed {
		r.made = holders
	}
	if sku != "" {
		r.made = 0
		if of := t.sku(sku); of != nil && r.has(of.ID) {
			r.made = seatsOn(of.Assigned, day)
		}
	}
	for _, user := range t.Users {
		if !user.there(day) {
			continue
		}
		held := r.held(user)
		if licensed && len(held) == 0 || sku != "" && !user.holds(sku, day) {
			continue
		}
		r.stored = append(r.stored, person{
			id: user.ID, name: user.DisplayName, upn: user.UPN, mail: user.Mail, enabled: !user.Disabled, guest: user.Guest, created: user.Created, licenses: held,
		})
	}
	return r
}

// roster is a list of users of which the made-up ones are written only when they are read.
type roster struct {
	tenant *Tenant
	day    Day
	skus   []*SKU
	stored []person
	made   int

	given, family []string
}

func (r *roster) len() int { return len(r.stored) + r.made }

func (r *roster) has(skuID string) bool {
	for _, sku := range r.skus {
		if sku.ID == skuID {
			return true
		}
	}
	return false
}

// held are the user's licenses of SKUs that the tenant has on the day.
func (r *roster) held(user *User) []Assignment {
	var held []Assignment
	for _, a := range user.Licenses {
		if a.on(r.day) && r.has(a.SKUID) {
			held = append(held, a)
		}
	}
	return held
}

func (r *roster) at(n int) person {
	if n < len(r.stored) {
		return r.stored[n]
	}
	n -= len(r.stored)
	given, family := r.given[n%len(r.given)], r.family[n%len(r.family)] // 20 and 23 have no common divisor: 460 names before one repeats
	number := itoa(n + 1)
	p := person{
		id: ID("person", r.tenant.ID, number), name: given + " " + family, enabled: true, created: r.tenant.Created,
		upn: strings.ToLower(given) + number + "@" + r.tenant.DefaultDomain,
	}
	p.mail = p.upn
	for _, sku := range r.skus {
		if n < seatsOn(sku.Assigned, r.day) {
			p.licenses = append(p.licenses, Assignment{SKUID: sku.ID})
		}
	}
	return p
}

func userProperties() []string {
	return []string{
		"id", "displayName", "userPrincipalName", "mail", "givenName", "surname", "businessPhones", "jobTitle", "mobilePhone", "officeLocation", "preferredLanguage",
		"accountEnabled", "userType", "createdDateTime", "assignedLicenses", "licenseAssignmentStates", "department", "companyName", "usageLocation",
	}
}

// append writes the user with the chosen properties. It is written by hand because a benchmark reads millions.
func (p person) append(b []byte, chosen []string) []byte {
	b = append(b, '{')
	for n, name := range chosen {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':')
		b = p.appendValue(b, name)
	}
	return append(b, '}')
}

func (p person) appendValue(b []byte, name string) []byte {
	switch name {
	case "id":
		return appendText(b, p.id)
	case "displayName":
		return appendText(b, p.name)
	case "userPrincipalName":
		return appendText(b, p.upn)
	case "mail":
		if p.mail == "" {
			return append(b, "null"...)
		}
		return appendText(b, p.mail)
	case "businessPhones":
		return append(b, "[]"...)
	case "accountEnabled":
		if p.enabled {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case "userType":
		if p.guest {
			return append(b, `"Guest"`...)
		}
		return append(b, `"Member"`...)
	case "createdDateTime":
		return appendText(b, p.created.stamp())
	case "assignedLicenses":
		return p.appendLicenses(b)
	case "licenseAssignmentStates":
		return p.appendStates(b)
	}
	return append(b, "null"...)
}

func (p person) appendLicenses(b []byte) []byte {
	b = append(b, '[')
	for n, a := range p.licenses {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"disabledPlans":[],"skuId":"`...)
		b = append(b, a.SKUID...)
		b = append(b, `"}`...)
	}
	return append(b, ']')
}

func (p person) appendStates(b []byte) []byte {
	b = append(b, '[')
	for n, a := range p.licenses {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"skuId":"`...)
		b = append(b, a.SKUID...)
		b = append(b, `","assignedByGroup":`...)
		if a.ByGroup == "" {
			b = append(b, "null"...)
		} else {
			b = appendText(b, a.ByGroup)
		}
		state := a.State
		if state == "" {
			state = "Active"
		}
		b = append(b, `,"state":`...)
		b = appendText(b, state)
		b = append(b, `,"error":null,"disabledPlans":[],"lastUpdatedDateTime":`...)
		b = appendText(b, max(a.From, p.created).stamp())
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendText writes a JSON string.
func appendText(b []byte, text string) []byte {
	for n := range len(text) {
		if c := text[n]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, err := json.Marshal(text)
			if err != nil {
				return append(b, "null"...)
			}
			return append(b, encoded...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

package plugin

import (
	"context"
	"errors"
	"strconv"
)

// RecordKind is what kind of record a screen stands on.
type RecordKind string

// The kinds that sessions are made for.
const (
	AgreementRecord RecordKind = "agreement"
	CompanyRecord   RecordKind = "company"
)

// Record is a record of Manage. Of a company, Company is itself.
type Record struct {
	Kind        RecordKind
	ID          int
	Name        string
	Company     int
	CompanyName string
}

// maxRecord is the largest id that Manage gives: they are positive integers of 32 bits.
const maxRecord = 1<<31 - 1

// RecordID reads the id of a record as a browser gives it: digits and nothing else. What
// is no id is ErrNoRecord, like one of nothing.
func RecordID(text string) (int, error) {
	if text == "" || len(text) > 10 {
		return 0, ErrNoRecord
	}
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, ErrNoRecord
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > maxRecord {
		return 0, ErrNoRecord
	}
	return int(n), nil
}

// Read reads a record with the member's own rights, so that what the member's role in
// Manage hides stays hidden. Errors: ErrNoRecord, *VouchError.
//
// Vendor pages: GET /finance/agreements/{id} (Agreement), GET /company/companies/{id}
// (Company).
func (m *Member) Read(ctx context.Context, kind RecordKind, id int) (Record, error) {
	var is struct {
		ID      number `json:"id"`
		Name    string `json:"name"`
		Company struct {
			ID   number `json:"id"`
			Name string `json:"name"`
		} `json:"company"`
	}
	path := map[RecordKind]string{AgreementRecord: "/finance/agreements/", CompanyRecord: "/company/companies/"}[kind]
	if path == "" {
		return Record{}, ErrNoRecord
	}
	err := m.site.read(ctx, m.sign, path+strconv.Itoa(id), &is)
	if errors.Is(err, errRefused) {
		return Record{}, ErrNoRecord
	}
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Kind: kind, ID: id, Name: printable(is.Name, 250), Company: int(is.Company.ID), CompanyName: printable(is.Company.Name, 250),
	}
	if kind == CompanyRecord {
		r.Company, r.CompanyName = id, r.Name
	}
	if int(is.ID) != id || r.Company < 1 {
		return Record{}, &VouchError{Err: errors.New("the answer is of another record")}
	}
	return r, nil
}

package connectwisesim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"trueup/server/sim/invoice"
)

// Management is the handler by which other programs load the simulator and turn its knobs. It asks nobody to sign in and belongs on an address of
// its own that only tests and demos reach. Everything is JSON; a refusal is {"error": "..."} with 400 or 404.
//
//	GET PUT POST /state                  export; replace; add to (State)
//	GET PUT      /day                    {"day":"2026-03-17"}
//	POST         /upgrade                {"codebase":"v2026_2/","version":""}
//	PUT          /knobs                  Knobs; what is left out stays
//	POST         /roles                  {"member":"","resource":"addition","actions":["edit"],"allow":false}; no member: everybody
//	POST         /members/{id}/sessions  signs a member in at a browser; answers {"memberHash":"..."}
//	POST DELETE  /faults                 Fault with delayMs
//	POST         /invoices               {"agreementId":7} or {"due":true}; answers the invoices made
//	GET          /invoices               ?agreementId=7, all without; /invoices/preview?agreementId=7
//	DELETE       /invoices/last          ?agreementId=7; answers the one that is gone
//	PATCH        /companies/{id} /agreements/{id} /products/{id} /additions/{id}   hand edit, ?by=jdoe; the fields of the record in a State
//	DELETE       /agreements/{id} /additions/{id}                                  by hand, ?by=jdoe
//	POST         /additions              by hand, ?by=jdoe; answers {"id":8}
//	GET          /agreements/{id}/additions
//	GET DELETE   /calls                  counts by route, forbidden ones apart
//	GET          /writes                 ?after=12
//	GET          /callbacks, /callbacks/deliveries; POST /callbacks/deliver
func (s *Sim) Management() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, do func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { manage(w, r, do) })
	}
	on("GET /state", func(*http.Request) (any, error) { return s.Export(), nil })
	on("PUT /state", func(r *http.Request) (any, error) { return s.importBody(r, true) })
	on("POST /state", func(r *http.Request) (any, error) { return s.importBody(r, false) })
	on("GET /day", func(*http.Request) (any, error) { return dayBody{s.Today()}, nil })
	on("PUT /day", s.manageDay)
	on("POST /upgrade", s.manageUpgrade)
	on("PUT /knobs", s.manageKnobs)
	on("POST /roles", s.manageRole)
	on("POST /members/{id}/sessions", func(r *http.Request) (any, error) {
		hash, err := s.SignIn(pathID(r))
		return map[string]string{"memberHash": hash}, err
	})
	on("POST /faults", s.manageFault)
	on("DELETE /faults", func(*http.Request) (any, error) { s.ClearFaults(); return nothing{}, nil })
	on("POST /invoices", s.manageInvoices)
	on("GET /invoices", func(r *http.Request) (any, error) { return s.Invoices(agreementID(r)), nil })
	on("GET /invoices/preview", func(r *http.Request) (any, error) { return s.PreviewInvoice(agreementID(r)) })
	on("DELETE /invoices/last", func(r *http.Request) (any, error) { return s.DeleteLastInvoice(agreementID(r)) })
	on("PATCH /companies/{id}", byHand(s.EditCompany))
	on("PATCH /agreements/{id}", byHand(s.EditAgreement))
	on("PATCH /products/{id}", byHand(s.EditProduct))
	on("PATCH /additions/{id}", byHand(s.EditAddition))
	on("DELETE /agreements/{id}", func(r *http.Request) (any, error) { return nothing{}, s.DeleteAgreement(pathID(r), by(r)) })
	on("DELETE /additions/{id}", func(r *http.Request) (any, error) { return nothing{}, s.DeleteAddition(pathID(r), by(r)) })
	on("POST /additions", s.manageNewAddition)
	on("GET /agreements/{id}/additions", func(r *http.Request) (any, error) { return s.Additions(pathID(r)), nil })
	on("GET /calls", func(*http.Request) (any, error) {
		return map[string]any{"calls": s.Calls(), "forbidden": s.ForbiddenCalls()}, nil
	})
	on("DELETE /calls", func(*http.Request) (any, error) { s.ResetCalls(); return nothing{}, nil })
	on("GET /writes", func(r *http.Request) (any, error) {
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		return s.Writes(after), nil
	})
	on("GET /callbacks", func(*http.Request) (any, error) { return s.Callbacks(), nil })
	on("GET /callbacks/deliveries", func(*http.Request) (any, error) { return s.Deliveries(), nil })
	on("POST /callbacks/deliver", func(r *http.Request) (any, error) { return s.Deliver(r.Context()), nil })
	return mux
}

type nothing struct{}

type dayBody struct {
	Day invoice.Day `json:"day"`
}

// Knobs are the settings that the management handler changes together; nil leaves one as it is.
type Knobs struct {
	LatencyMS               *int    `json:"latencyMs"`
	CallsPerMinute          *int    `json:"callsPerMinute"`
	RefuseNegativeQuantity  *bool   `json:"refuseNegativeQuantity"`
	AdditionsFireAgreements *bool   `json:"additionsFireAgreements"`
	CallbackCopies          *int    `json:"callbackCopies"`
	CallbacksByHand         *bool   `json:"callbacksByHand"`
	PublicURL               *string `json:"publicUrl"`
}

func manage(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	out, err := do(r)
	status := http.StatusOK
	if err != nil {
		status, out = http.StatusBadRequest, map[string]string{"error": err.Error()}
		if errors.Is(err, ErrNoRecord) || errors.Is(err, ErrNoAgreement) || errors.Is(err, ErrNoInvoice) {
			status = http.StatusNotFound
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // a caller that went away needs no answer
}

// read decodes a management body strictly: a misspelt knob is an error, not a knob that does nothing.
func read(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 512<<20)) // a whole state may be large
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return decodeWhole(body, into)
}

func agreementID(r *http.Request) int {
	id, _ := strconv.Atoi(r.URL.Query().Get("agreementId")) // 0, all or none, when it isn't a number
	return id
}

func pathID(r *http.Request) int {
	id, _ := strconv.Atoi(r.PathValue("id")) // 0 is the id of nothing
	return id
}

func by(r *http.Request) string {
	if who := r.URL.Query().Get("by"); who != "" {
		return who
	}
	return "jdoe"
}

// byHand makes a hand edit of a PATCH: the fields that are sent replace those of the record.
func byHand[T any](edit func(id int, by string, change func(*T)) error) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var sent map[string]json.RawMessage
		if err := read(r, &sent); err != nil {
			return nil, err
		}
		whole, err := json.Marshal(sent)
		if err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
		if err := decodeWhole(whole, new(T)); err != nil { // before the edit, which can't fail
			return nil, err
		}
		return nothing{}, edit(pathID(r), by(r), func(row *T) { _ = json.Unmarshal(whole, row) })
	}
}

func (s *Sim) importBody(r *http.Request, replace bool) (any, error) {
	var in State
	if err := read(r, &in); err != nil {
		return nil, err
	}
	return nothing{}, s.Import(in, replace)
}

func (s *Sim) manageDay(r *http.Request) (any, error) {
	var in dayBody
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.Day == 0 {
		return nil, errors.New("day is missing")
	}
	s.SetToday(in.Day)
	return in, nil
}

func (s *Sim) manageUpgrade(r *http.Request) (any, error) {
	var in struct {
		Codebase string `json:"codebase"`
		Version  string `json:"version"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.Codebase == "" || in.Codebase[len(in.Codebase)-1] != '/' {
		return nil, errors.New("codebase must end with a slash")
	}
	s.Upgrade(in.Codebase, in.Version)
	return nothing{}, nil
}

func (s *Sim) manageKnobs(r *http.Request) (any, error) {
	var in Knobs
	if err := read(r, &in); err != nil {
		return nil, err
	}
	turn(in.LatencyMS, func(ms int) { s.SetLatency(time.Duration(ms) * time.Millisecond) })
	turn(in.CallsPerMinute, s.SetRateLimit)
	turn(in.RefuseNegativeQuantity, s.RefuseNegativeQuantity)
	turn(in.AdditionsFireAgreements, s.SetAdditionsFireAgreements)
	turn(in.CallbackCopies, s.SetCallbackCopies)
	turn(in.CallbacksByHand, s.SetCallbacksByHand)
	turn(in.PublicURL, s.SetPublicURL)
	return nothing{}, nil
}

func turn[T any](sent *T, set func(T)) {
	if sent != nil {
		set(*sent)
	}
}

func (s *Sim) manageRole(r *http.Request) (any, error) {
	var in struct {
		Member   string   `json:"member"`
		Resource string   `json:"resource"`
		Actions  []string `json:"actions"`
		Allow    bool     `json:"allow"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	s.permit(in.Member, in.Resource, in.Actions, in.Allow)
	return nothing{}, nil
}

func (s *Sim) manageFault(r *http.Request) (any, error) {
	var in struct {
		Fault
		DelayMS int `json:"delayMs"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	in.Delay = time.Duration(in.DelayMS) * time.Millisecond
	return nothing{}, s.AddFault(in.Fault)
}

func (s *Sim) manageInvoices(r *http.Request) (any, error) {
	var in struct {
		AgreementID int  `json:"agreementId"`
		Due         bool `json:"due"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.Due {
		return append([]Invoice{}, s.InvoiceDue()...), nil
	}
	made, err := s.InvoiceAgreement(in.AgreementID)
	return []Invoice{made}, err
}

func (s *Sim) manageNewAddition(r *http.Request) (any, error) {
	var in Addition
	if err := read(r, &in); err != nil {
		return nil, err
	}
	id, err := s.CreateAddition(by(r), in)
	return map[string]int{"id": id}, err
}

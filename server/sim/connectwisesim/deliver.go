package connectwisesim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trueup/server/sim/invoice"
)

// daysToDisable is how many days in a row a callback may fail before Manage disables it.
const daysToDisable = 3

// event is one callback on its way: where to, what, signed.
type event struct {
	callback  int
	url       string
	message   string // its id
	body      []byte
	signature string
}

// Delivery is what became of a callback.
type Delivery struct {
	CallbackID int    `json:"callbackId"`
	MessageID  string `json:"messageId"`
	URL        string `json:"url"`
	Attempts   int    `json:"attempts"`
	Status     int    `json:"status"` // of the last answer; 0: none came
	OK         bool   `json:"ok"`
}

// payload is the body of a callback, with the names that were captured.
type payload struct {
	MessageID         string `json:"MessageId"`
	FromURL           string `json:"FromUrl"`
	CompanyID         string `json:"CompanyId"`
	MemberID          string `json:"MemberId"`
	Action            string
	Type              string
	ID                int
	ProductInstanceID *string `json:"ProductInstanceId"`
	PartnerID         *string `json:"PartnerId"`
	Entity            *string
	Metadata          struct {
		KeyURL string `json:"key_url"`
	}
	CallbackID int `json:"CallbackObjectRecId"`
}

// encode writes the body as Manage does, with & and the like as they are.
func (p payload) encode() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // texts and numbers always encode
	return bytes.TrimRight(out.Bytes(), "\n")
}

// Sign is the x-content-signature of a body: base64 of its HMAC-SHA256 under the SHA-256 of the signing key.
func Sign(signingKey string, body []byte) string {
	key := sha256.Sum256([]byte(signingKey))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Sim) companyEvents(c *Company, action, member string) []event {
	if len(s.callbacks.rows) == 0 {
		return nil
	}
	keys := map[string][]int{"status": {c.Status.ID}, "territory": {c.Territory.ID}, "company": {c.ID}}
	for _, t := range c.Types {
		keys["type"] = append(keys["type"], t.ID)
	}
	entity := appendRow(s, s.companies, c, parseFields("id,identifier,name,status,deletedFlag,_info"), nil)
	return s.events("company", c.ID, action, member, keys, entity)
}

func (s *Sim) agreementEvents(a *Agreement, action, member string) []event {
	if len(s.callbacks.rows) == 0 {
		return nil
	}
	keys := map[string][]int{"type": {a.TypeID}, "company": {a.CompanyID}, "agreement": {a.ID}}
	entity := appendRow(s, s.agreements, a, parseFields("id,name,type,company,agreementStatus,_info"), nil)
	return s.events("agreement", a.ID, action, member, keys, entity)
}

// additionEvents is what a changed line causes: nothing, unless SetAdditionsFireAgreements says otherwise.
func (s *Sim) additionEvents(agreementID int, member string) []event {
	a := s.agreements.rows[agreementID]
	if a == nil || !s.knobs.additionsFire() {
		return nil
	}
	return s.agreementEvents(a, "updated", member)
}

// events makes the callbacks for one change of a record: keys are, by level, the object ids that a callback may be registered for.
func (s *Sim) events(kind string, id int, action, member string, keys map[string][]int, entity []byte) []event {
	keys["owner"] = []int{1}
	var out []event
	for _, at := range s.callbacks.ids {
		cb := s.callbacks.rows[at]
		if cb.Inactive || cb.Type != kind || !slices.Contains(keys[cb.Level], cb.ObjectID) || cb.SelfSuppressed && cb.MemberID == s.memberID(member) {
			continue
		}
		p := payload{MessageID: newGUID(), CompanyID: s.cfg.CompanyID, MemberID: member, Action: action, Type: kind, ID: id, CallbackID: cb.ID}
		base := s.knobs.publicURL()
		_, p.FromURL, _ = strings.Cut(base, "://")
		p.Metadata.KeyURL = fmt.Sprintf("%s/%s/system/callbackkey/index.rails?companyName=%s&id=%s", base, s.codebase, s.cfg.CompanyID, cb.KeyID)
		if action != "deleted" {
			text := string(entity)
			p.Entity = &text
		}
		body := p.encode()
		out = append(out, event{callback: cb.ID, url: cb.URL + strconv.Itoa(id) + "&action=" + action, message: p.MessageID, body: body, signature: Sign(cb.Key, body)})
	}
	return out
}

// outbox holds callbacks that wait for Deliver and runs those that go out by themselves.
type outbox struct {
	mu      sync.Mutex
	waiting []event
	done    []Delivery
	idle    *sync.Cond // under mu: running is 0
	running int
	slots   chan struct{}
	ctx     context.Context
	stop    context.CancelFunc
}

func (o *outbox) init() {
	o.ctx, o.stop = context.WithCancel(context.Background())
	o.slots = make(chan struct{}, 16)
	o.idle = sync.NewCond(&o.mu)
}

func (o *outbox) close() {
	o.stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.running > 0 {
		o.idle.Wait()
	}
}

// send starts the callbacks of a change, or lets them wait.
func (s *Sim) send(events []event) {
	if len(events) == 0 {
		return
	}
	copies, byHand := s.knobs.delivery()
	o := &s.outgoing
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range events {
		for range copies {
			if byHand {
				o.waiting = append(o.waiting, e)
				continue
			}
			if o.ctx.Err() != nil {
				return
			}
			o.running++
			go s.sendOne(e)
		}
	}
}

func (s *Sim) sendOne(e event) {
	o := &s.outgoing
	select {
	case o.slots <- struct{}{}:
		s.deliver(o.ctx, e)
		<-o.slots
	case <-o.ctx.Done():
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running--
	if o.running == 0 {
		o.idle.Broadcast()
	}
}

// Deliver sends the callbacks that wait, in the order of the changes, with the documented retries, and says what became of them.
func (s *Sim) Deliver(ctx context.Context) []Delivery {
	s.outgoing.mu.Lock()
	waiting := s.outgoing.waiting
	s.outgoing.waiting = nil
	s.outgoing.mu.Unlock()
	out := make([]Delivery, 0, len(waiting))
	for _, e := range waiting {
		out = append(out, s.deliver(ctx, e))
	}
	return out
}

// Deliveries is what became of all callbacks so far, the last ten thousand of them.
func (s *Sim) Deliveries() []Delivery {
	s.outgoing.mu.Lock()
	defer s.outgoing.mu.Unlock()
	return slices.Clone(s.outgoing.done)
}

// deliver tries a callback: any 2xx is success; 404, 409, 419 and 429 are tried again after each of the pauses; anything else is given up.
func (s *Sim) deliver(ctx context.Context, e event) Delivery {
	d := Delivery{CallbackID: e.callback, MessageID: e.message, URL: e.url}
	for try := 0; ; try++ {
		d.Attempts++
		d.Status = s.attempt(ctx, e)
		d.OK = d.Status >= 200 && d.Status < 300
		again := d.Status == 404 || d.Status == 409 || d.Status == 419 || d.Status == 429
		if !again || try >= len(s.cfg.CallbackRetries) || ctx.Err() != nil {
			break
		}
		hold(ctx, s.cfg.CallbackRetries[try])
	}
	s.outcome(e.callback, d.OK)
	s.outgoing.mu.Lock()
	defer s.outgoing.mu.Unlock()
	if len(s.outgoing.done) >= 10_000 {
		s.outgoing.done = slices.Delete(s.outgoing.done, 0, 1000)
	}
	s.outgoing.done = append(s.outgoing.done, d)
	return d
}

func (s *Sim) attempt(ctx context.Context, e event) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(e.body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("x-content-signature", e.signature)
	answer, err := s.cfg.Callbacks.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // only so that the connection can be used again
	return answer.StatusCode
}

// outcome disables a callback that failed on three simulated days in a row without one success.
func (s *Sim) outcome(id int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.callbacks.rows[id]
	if old == nil || ok && len(old.failedDays) == 0 {
		return
	}
	row := *old
	switch last := len(row.failedDays) - 1; {
	case ok:
		row.failedDays = nil
	case last >= 0 && row.failedDays[last] == s.today:
		return
	case last >= 0 && row.failedDays[last] == s.today-1:
		row.failedDays = append(slices.Clone(row.failedDays), s.today)
	default:
		row.failedDays = []invoice.Day{s.today}
	}
	row.Inactive = row.Inactive || len(row.failedDays) >= daysToDisable
	s.callbacks.put(id, &row)
}

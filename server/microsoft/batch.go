package microsoft

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"trueup/server/upstream"
)

// question is one GET in a batch; id names it and its answer.
type question struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"` // relative to the version, begins with "/"
	Headers map[string]string `json:"headers,omitempty"`
	// take reads the body of a good answer.
	take func(d *json.Decoder) error
}

// answer is one item of a batch's answer; the body is kept when it isn't taken.
type answer struct {
	status int
	header http.Header
	body   json.RawMessage
}

const (
	// maxRounds is how often the items of a batch that were throttled are asked again,
	// maxTries those that failed.
	maxRounds, maxTries = 4, 2
	// firstWait is the wait before the second round when no item names one; it doubles.
	firstWait = time.Second
)

// batch asks all questions in one POST (Graph documentation, "Combine multiple
// requests in one HTTP call using JSON batching"); without an error each was answered
// with status 200 and its body was taken, once. Items that were throttled or failed for
// the moment are asked again in a new batch of only those, after the longest Retry-After
// among them.
func (s *session) batch(ctx context.Context, questions []question, header http.Header) error {
	pending := questions
	for round := 0; ; round++ {
		answers, err := s.postBatch(ctx, pending, header)
		if err != nil {
			return err
		}
		var again []question
		var wait time.Duration
		for _, q := range pending {
			a := answers[q.ID]
			switch {
			case a.status == http.StatusOK:
			case worthAnother(a.status, round):
				again = append(again, q)
				wait = max(wait, s.waitFor(a, round))
			default:
				return cutOff("batch_item_failed", "the question for "+q.ID+" was not answered", s.refusal(a.status, a.header, a.body))
			}
		}
		if len(again) == 0 {
			return nil
		}
		s.c.cfg.Log.InfoContext(ctx, "Graph wants some questions of a batch asked again",
			slog.String("tenant", s.tenant), slog.Int("questions", len(again)), slog.Duration("wait", wait))
		if err := s.c.wait(ctx, wait); err != nil {
			return err
		}
		pending = again
	}
}

func worthAnother(status, round int) bool {
	switch status {
	case http.StatusTooManyRequests:
		return round < maxRounds
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return round < maxTries
	}
	return false
}

// waitFor is what the item asks for, which may be a fraction of a second.
func (s *session) waitFor(a answer, round int) time.Duration {
	if d, ok := upstream.ParseRetryAfter(a.header, s.c.cfg.Now()); ok {
		return d
	}
	return firstWait << round
}

func (s *session) postBatch(ctx context.Context, questions []question, header http.Header) (map[string]answer, error) {
	body, err := json.Marshal(struct {
		Requests []question `json:"requests"`
	}{questions})
	if err != nil {
		return nil, fmt.Errorf("write the batch: %w", err)
	}
	// A batch of reads does nothing twice.
	resp, err := s.do(upstream.Idempotent(ctx), http.MethodPost, s.base+"/v1.0/$batch", header, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	takes := make(map[string]func(*json.Decoder) error, len(questions))
	for _, q := range questions {
		takes[q.ID] = q.take
	}
	answers, err := readBatch(resp.Body, takes)
	if err != nil {
		return nil, err
	}
	for _, q := range questions {
		if _, ok := answers[q.ID]; !ok {
			return nil, brokenf("batch_item_missing", "an answer is missing (%s)", q.ID)
		}
	}
	if len(answers) != len(questions) {
		return nil, brokenf("batch_item_unknown", "there are answers to questions that weren't asked")
	}
	return answers, nil
}

// maxAnswers is Graph's own limit of a batch.
const maxAnswers = 20

// readBatch reads {"responses":[{id,status,headers,body}]} item by item, and hands the
// bodies of good answers to takes. Every item must have an id of its own and a status.
func readBatch(r io.Reader, takes map[string]func(*json.Decoder) error) (map[string]answer, error) {
	answers := map[string]answer{}
	found := false
	err := whole(r, func(d *json.Decoder) error {
		return eachField(d, func(key string) error {
			if key != "responses" {
				return skip(d)
			}
			if found {
				return brokenf("batch_broken", "the batch has two lists of answers")
			}
			found = true
			return eachElement(d, func() error { return readItem(d, answers, takes) })
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, brokenf("batch_broken", "the batch has no list of answers")
	}
	return answers, nil
}

// item is an answer while it is read. Its members come in any order; a member that
// comes twice could make the body somebody else's, and is refused.
type item struct {
	id      *string
	status  *int
	headers map[string]json.RawMessage
	body    json.RawMessage
	taken   bool
	seen    map[string]bool
}

func readItem(d *json.Decoder, answers map[string]answer, takes map[string]func(*json.Decoder) error) error {
	it := item{seen: map[string]bool{}}
	if err := eachField(d, func(key string) error { return it.field(key, d, takes) }); err != nil {
		return err
	}
	if it.id == nil || it.status == nil {
		return brokenf("batch_broken", "an answer of the batch has no id or no status")
	}
	if _, twice := answers[*it.id]; twice || len(answers) >= maxAnswers {
		return brokenf("batch_broken", "a question of the batch has two answers")
	}
	if take := it.take(takes); take != nil && !it.taken {
		if err := whole(bytes.NewReader(it.body), take); err != nil {
			return err
		}
	}
	header := http.Header{}
	for k, raw := range it.headers {
		var v string
		if json.Unmarshal(raw, &v) != nil {
			v = string(raw) // a number, as some gateways write it
		}
		header.Set(k, v)
	}
	answers[*it.id] = answer{*it.status, header, it.body}
	return nil
}

// take is who reads the body, nil when nobody does or it isn't known yet.
func (it *item) take(takes map[string]func(*json.Decoder) error) func(*json.Decoder) error {
	if it.id == nil || it.status == nil || *it.status != http.StatusOK {
		return nil
	}
	return takes[*it.id]
}

func (it *item) field(key string, d *json.Decoder, takes map[string]func(*json.Decoder) error) error {
	if it.seen[key] {
		return brokenf("batch_broken", "an answer of the batch says something twice")
	}
	it.seen[key] = true
	var into any
	switch key {
	case "id":
		into = &it.id
	case "status":
		into = &it.status
	case "headers":
		into = &it.headers
	case "body":
		if take := it.take(takes); take != nil {
			it.taken = true
			return take(d)
		}
		into = &it.body
	default:
		return skip(d)
	}
	if err := d.Decode(into); err != nil {
		return undecoded(err, "batch_broken", "an answer of the batch can't be read")
	}
	return nil
}

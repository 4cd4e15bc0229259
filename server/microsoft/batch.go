package microsoft

import (
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
}

// answer is one item of a batch's answer.
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
// requests in one HTTP call using JSON batching") and gives their bodies by id, all
// with status 200 or none. Items that were throttled or failed for the moment are asked
// again in a new batch of only those, after the longest Retry-After among them.
func (s *session) batch(ctx context.Context, questions []question, header http.Header) (map[string]json.RawMessage, error) {
	bodies := make(map[string]json.RawMessage, len(questions))
	pending := questions
	for round := 0; ; round++ {
		answers, err := s.postBatch(ctx, pending, header)
		if err != nil {
			return nil, err
		}
		var again []question
		var wait time.Duration
		for _, q := range pending {
			a := answers[q.ID]
			switch {
			case a.status == http.StatusOK:
				bodies[q.ID] = a.body
			case worthAnother(a.status, round):
				again = append(again, q)
				wait = max(wait, s.waitFor(a, round))
			default:
				return nil, cutOff("batch_item_failed", "the question for "+q.ID+" was not answered", s.refusal(a.status, a.header, a.body))
			}
		}
		if len(again) == 0 {
			return bodies, nil
		}
		s.c.cfg.Log.InfoContext(ctx, "Graph wants some questions of a batch asked again",
			slog.String("tenant", s.tenant), slog.Int("questions", len(again)), slog.Duration("wait", wait))
		if err := s.c.wait(ctx, wait); err != nil {
			return nil, err
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
	defer resp.Body.Close()
	answers, err := readBatch(resp.Body)
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

// readBatch reads {"responses":[{id,status,headers,body}]} item by item. Every item
// must have an id of its own and a status.
func readBatch(r io.Reader) (map[string]answer, error) {
	answers := map[string]answer{}
	found := false
	err := eachField(r, func(key string, d *json.Decoder) error {
		if key != "responses" {
			return skip(d)
		}
		if found {
			return brokenf("batch_broken", "the batch has two lists of answers")
		}
		found = true
		return eachElement(d, func() error { return readAnswer(d, answers) })
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, brokenf("batch_broken", "the batch has no list of answers")
	}
	return answers, nil
}

func readAnswer(d *json.Decoder, answers map[string]answer) error {
	var item struct {
		ID      *string                    `json:"id"`
		Status  *int                       `json:"status"`
		Headers map[string]json.RawMessage `json:"headers"`
		Body    json.RawMessage            `json:"body"`
	}
	if err := d.Decode(&item); err != nil {
		return brokenf("batch_broken", "an answer of the batch can't be read")
	}
	if item.ID == nil || item.Status == nil {
		return brokenf("batch_broken", "an answer of the batch has no id or no status")
	}
	if _, twice := answers[*item.ID]; twice || len(answers) >= maxAnswers {
		return brokenf("batch_broken", "a question of the batch has two answers")
	}
	header := http.Header{}
	for k, raw := range item.Headers {
		var v string
		if json.Unmarshal(raw, &v) != nil {
			v = string(raw) // a number, as some gateways write it
		}
		header.Set(k, v)
	}
	answers[*item.ID] = answer{*item.Status, header, item.Body}
	return nil
}

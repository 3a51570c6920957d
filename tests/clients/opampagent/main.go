// Command opampagent is a scriptable agent on the opamp-go client. Events come out on standard
// output as JSON lines, commands go in on standard input as JSON lines. It covers what the
// supervisor lacks: packages, certificate requests, connection settings status, fast polling.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// options are the flags of one agent.
type options struct {
	url, uid, name, version   string
	caFile, certFile, keyFile string
	refuse, failText          string
	packageDir, customCapab   string
	poll, applyDelay          time.Duration
	capabilities              uint64
	noHealth, fallBack        bool
	header                    http.Header
	labels                    map[string]string
	identifying               map[string]string
}

// command is one line of standard input.
type command struct {
	Do         string            `json:"do"`
	Healthy    bool              `json:"healthy"`
	Error      string            `json:"error"`
	Hash       string            `json:"hash"`
	Status     string            `json:"status"`
	Capability string            `json:"capability"`
	Type       string            `json:"type"`
	Data       string            `json:"data"`
	CommonName string            `json:"common_name"`
	Labels     map[string]string `json:"labels"`
}

var printLock sync.Mutex

// emit writes one event.
func emit(event string, fields map[string]any) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["event"] = event
	line, err := json.Marshal(fields)
	if err != nil {
		line = []byte(fmt.Sprintf(`{"event": "unprintable", "of": %q}`, event))
	}
	printLock.Lock()
	defer printLock.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func pairs(into func(key, value string)) func(string) error {
	return func(text string) error {
		key, value, found := strings.Cut(text, "=")
		if !found {
			return errors.New("write KEY=VALUE")
		}
		into(key, value)
		return nil
	}
}

func parseFlags() options {
	o := options{header: http.Header{}, labels: map[string]string{}, identifying: map[string]string{}}
	flag.StringVar(&o.url, "url", "", "server URL: ws, wss, http or https")
	flag.StringVar(&o.uid, "uid", "", "instance uid, 32 hex digits; made up when left out")
	flag.StringVar(&o.name, "name", "opampagent", "service.name")
	flag.StringVar(&o.version, "version", "1.0.0", "service.version")
	flag.StringVar(&o.caFile, "ca", "", "PEM file that signs the server's certificate")
	flag.StringVar(&o.certFile, "cert", "", "PEM file of the client certificate")
	flag.StringVar(&o.keyFile, "key", "", "PEM file of the client key")
	flag.StringVar(&o.refuse, "refuse", "", "answer FAILED to a config that contains this text")
	flag.StringVar(&o.failText, "fail-text", "refused by the test agent", "error message of FAILED")
	flag.StringVar(&o.packageDir, "package-dir", "", "directory for package files")
	flag.StringVar(&o.customCapab, "custom-capability", "", "custom capability to announce")
	flag.DurationVar(&o.poll, "poll", 0, "heartbeat interval, which is the poll interval over HTTP")
	flag.DurationVar(&o.applyDelay, "apply-delay", 20*time.Millisecond, "time between APPLYING and the outcome")
	flag.Uint64Var(&o.capabilities, "capabilities", 0x2807, "AgentCapabilities bits")
	flag.BoolVar(&o.noHealth, "no-health", false, "do not set a health before the start")
	flag.BoolVar(&o.fallBack, "fall-back", false, "after FAILED report APPLIED for the config before")
	flag.Func("header", "KEY=VALUE, may be repeated", pairs(func(k, v string) { o.header.Add(k, v) }))
	flag.Func("label", "non-identifying KEY=VALUE, may be repeated", pairs(func(k, v string) { o.labels[k] = v }))
	flag.Func("identifying", "identifying KEY=VALUE, may be repeated", pairs(func(k, v string) { o.identifying[k] = v }))
	flag.Parse()
	return o
}

func main() {
	o := parseFlags()
	uid, err := uuid.NewV7()
	if err == nil && o.uid != "" {
		var raw []byte
		if raw, err = hex.DecodeString(strings.ReplaceAll(o.uid, "-", "")); err == nil {
			uid, err = uuid.FromBytes(raw)
		}
	}
	if err == nil {
		var a *agent
		if a, err = newAgent(o, uid); err == nil {
			err = run(a)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run obeys standard input; its end stops the agent as "stop" does.
func run(a *agent) error {
	if err := a.start(a.first, nil); err != nil {
		return err
	}
	emit("started", map[string]any{"uid": a.uidText()})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			emit("bad_command", map[string]any{"error": err.Error()})
			continue
		}
		if c.Do == "stop" {
			break
		}
		if c.Do == "crash" { // no agent_disconnect, no close frame
			os.Exit(2)
		}
		if err := a.obey(c); err != nil {
			emit("bad_command", map[string]any{"do": c.Do, "error": err.Error()})
		}
	}
	a.stop()
	emit("stopped", nil)
	return lines.Err()
}

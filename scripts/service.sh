# To be sourced: starts a service of its own in an empty folder, makes the first admin and a key, and ends it with the script.
# Takes the binary in $kwartier; gives $folder, $url, $key, $service, and `ask METHOD PATH [curl arguments]`.

folder=$(mktemp -d)
stop() {
  [ -z "${service:-}" ] || kill "$service" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -1; }
ask() { curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer ${key:-}" -H 'Content-Type: application/json' "$url$2" "${@:3}"; }

# Its answers are what is tried, not how many it gives.
export KWARTIER_LIMITS_REQUESTS_PER_MINUTE=10000000
"$kwartier" serve --data "$folder/data" --listen 127.0.0.1:0 2>"$folder/log" &
service=$!
until grep -q '#setup=' "$folder/log"; do
  kill -0 "$service" || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
link=$(sed -n 's/.*\(http:[^ ]*#setup=[^ ]*\).*/\1/p' "$folder/log")
url=${link%%/#*}
key=$(ask POST /v1/setup -d "{\"token\": \"${link#*=}\", \"email\": \"ann@depot.example\", \"name\": \"Ann Jansen\",
  \"password\": \"correct horse battery\", \"carry\": \"bearer\"}" | field ticket)
key=$(ask POST /v1/keys -d '{"name": "script", "scopes": [{"role": "admin", "tenant": "main"}]}' | field key)

# Runs inside a broker's pod: writes 100 messages with acks=all to topic test1 and reads the same 100 back.
#   bash -s BOOTSTRAP_SERVERS TAG <messages.sh
set -euo pipefail
servers=$1 tag=$2 topic=test1
unset JMX_PORT KAFKA_JMX_OPTS KAFKA_OPTS; export KAFKA_HEAP_OPTS=-Xmx256M LOG_DIR=/tmp
PATH=$PATH:/opt/kafka/bin
tool() { command -v "kafka-console-$1" || command -v "kafka-console-$1.sh"; }
# --broker-list until Kafka 2.4, --bootstrap-server since 2.5
servers_option=--broker-list
! "$(tool producer)" --help 2>&1 </dev/null | grep -e --bootstrap-server >/dev/null || servers_option=--bootstrap-server

# The tools' own patience is 1.5 s: on a busy machine they send again what is there already, and give up in silence.
patient="--request-required-acks all --request-timeout-ms 30000 --message-send-max-retries 100"
# shellcheck disable=SC2086
said=$(seq -f "$tag-%03g" 100 | "$(tool producer)" $servers_option "$servers" --topic $topic $patient 2>&1) && [[ $said != *ERROR* ]] ||
  { echo "$said" >&2; exit 1; }
# different ones: what is sent again after a lost answer is written twice
declare -A seen=()
while read -r line; do
  [[ $line != "$tag"-* ]] || seen[$line]=1
  [ ${#seen[@]} -lt 100 ] || break
done < <(exec "$(tool consumer)" --bootstrap-server "$servers" --topic $topic --from-beginning --timeout-ms 60000 2>/dev/null </dev/null)
read_back=${#seen[@]}
[ "$read_back" = 100 ] || { echo "read back $read_back of 100 messages" >&2; exit 1; }
echo "wrote 100 messages with acks=all to $topic, read back the same 100"
